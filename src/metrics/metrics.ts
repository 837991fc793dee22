import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { BreakerState } from "../deliver/breaker.ts";
import type { DeliveryMetrics } from "../deliver/count-outcomes.ts";
import type { Depth, QueueStatus } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import { type CounterFamily, createCounter } from "./counter.ts";
import { createEventSeries, type EventLabels, type SeriesLimits } from "./event-series.ts";
import { createHistogram } from "./histogram.ts";
import { createMetadataMetrics, type MetadataMetrics, type MetadataState } from "./metadata.ts";

export type InputStatus = "accepted" | "rejected";

/** Read when somebody scrapes; what cannot be read is left out of that scrape. */
export interface ScrapeSources {
  lanes?(): Promise<readonly { readonly lane: string; readonly depth: Depth }[]>;
  queue?(): QueueStatus;
  /** Bytes of bodies held in memory. */
  inflightBytes?(): number;
  listeners?(): readonly ListenerState[];
  /** Undefined: nothing is configured that knows the cluster. */
  metadata?(): MetadataState | undefined;
}

/** What is at work at one listener. */
export interface ListenerState {
  readonly listener: string;
  readonly requests: number;
  readonly bytes: number;
  readonly connections: number;
  /** Present while requests are refused because too much is at work. */
  readonly saturated?: string;
}

export interface Metrics extends MetadataMetrics {
  readonly contentType: string;
  /** The exposition text; scrapes that overlap share one collection. */
  expose(): Promise<string>;
  /** Names from `labels` that cannot be labels, to be logged at start. */
  readonly refusedLabels: readonly string[];

  /** falcosidekick's inputs_total: events by the way they came (`requests` for HTTP). */
  input(source: string, status: InputStatus, n: number): void;
  /** falcosidekick's falco_events_total: one valid alert. */
  event(alert: Alert): void;
  /** The metrics of an output instance; `destination` is falcosidekick's label for its outputs_total. */
  delivery(output: string, destination: string): DeliveryMetrics;

  /** Bytes of bodies as they came over the wire. */
  intakeBytes(source: string, bytes: number): void;
  /** Requests and events refused: `too_large`, `unauthorized`, `invalid`, … */
  intakeRejected(source: string, reason: string, n: number): void;
  /** Events became dead letters without an attempt (`poison`, `corrupt`) in the lane of this output, or in another lane. */
  putAside(outputOrLane: string, reason: string, n: number): void;
  /** Events of dead letters that were dropped to make room. */
  lettersDropped(lane: string, n: number): void;
  /** The files of a certificate or a token changed; `error`: what was read before stays in force. */
  credentialReload(of: string, outcome: "ok" | "error"): void;
  /** A place in what a source reads where events may be missing. */
  sourceGap(source: string): void;
  /** Requests, connections and handshakes that a listener refused. */
  refused(listener: string, reason: string, n: number): void;
  /** One durable write of the queue. */
  push(seconds: number): void;
  redisWatchdogRestart(): void;
  /** Matches of a rule of the hub's own engine; rule names come from rule files. */
  ruleMatch(rule: string, priority: string, source: string): void;
  /** An event that the rules failed on. */
  eventNotJudged(): void;
  /** Rules that audit events are judged by. */
  rulesLoaded(rules: number): void;
  /** The files of the rules changed; `error`: the running rules stayed. */
  rulesReload(outcome: "ok" | "error"): void;
  /** Once at start: an output that was asked for and is off, or, without one, an option; the key says why. */
  off(key: string, output?: string): void;
  scrape(sources: ScrapeSources): void;
}

export interface MetricsOptions {
  readonly labels?: Partial<EventLabels>;
  /** Bounds of falco_events_total. */
  readonly series?: Partial<SeriesLimits>;
  /** Told once, when falco_events_total is full. */
  readonly seriesFull?: () => void;
  /** The Node process' own metrics. */
  readonly process?: boolean;
  readonly version?: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const breakerValue: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };
const laneStates = ["waiting", "active", "delayed", "dead"] as const;

/** falcosidekick's content type: scrapers that negotiate see the answer that they know. */
const contentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

export const createMetrics = (options: MetricsOptions): Metrics => {
  const registry = new Registry();
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labels: readonly string[] = []): CounterFamily =>
    createCounter(registry, name, help, labels);
  const gauge = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });

  const inputs = counter("falcosecurity_falcosidekick_inputs_total", "Events received.", ["source", "status"]);
  const outputs = counter("falcosecurity_falcosidekick_outputs_total", "Alerts sent.", ["destination", "status"]);
  const events = createEventSeries(
    { customfields: [], templatedfields: [], extralabels: [], ...options.labels },
    { maxSeries: 10_000, maxBytes: 4 << 20, maxLabel: 128, ...options.series },
  );
  const overflowed = counter(
    "eyrie_events_series_overflow_total",
    "Alerts counted in the overflow series because falco_events_total has all the series it may have.",
  ).cell();
  let full = false;
  const countEvent = (alert: Alert): void => {
    if (events.count(alert)) return;
    overflowed.add(1);
    if (!full) options.seriesFull?.();
    full = true;
  };
  const attempts = counter("eyrie_delivery_attempts_total", "Delivery attempts.", ["output", "outcome"]);
  const latency = createHistogram(
    registry,
    "eyrie_delivery_seconds",
    "Duration of one delivery attempt.",
    ["output"],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  );
  const retries = counter("eyrie_delivery_retries_total", "Alerts put back to be sent again.", ["output", "reason"]);
  const dead = counter("eyrie_dead_letters_total", "Alerts given up and kept as dead letters.", ["output", "reason"]);
  const omitted = counter(
    "eyrie_delivery_omitted_total",
    "Parts of alerts that destinations did not take and that were left out.",
    ["output"],
  );
  const deaf = counter(
    "eyrie_outcome_listener_failures_total",
    "Outcomes that a listener failed on; delivery goes on without it.",
    ["output", "listener"],
  );
  const breaker = gauge("eyrie_breaker_state", "0 closed, 1 half open, 2 open.", ["output"]);
  const success = gauge("eyrie_last_success_timestamp_seconds", "When the destination last took an alert.", ["output"]);
  const bytes = counter("eyrie_intake_bytes_total", "Bytes of request bodies as received.", ["source"]);
  const rejected = counter("eyrie_intake_rejected_total", "Events and requests refused.", ["source", "reason"]);
  const dropped = counter("eyrie_dead_letters_dropped_total", "Events of dead letters dropped to make room.", ["lane"]);
  const credentials = counter("eyrie_credential_reloads_total", "Reloads of changed credentials.", ["of", "outcome"]);
  const gaps = counter("eyrie_source_gaps_total", "Places where events of a source may be missing.", ["source"]);
  const refused = counter("eyrie_refusals_total", "Requests, connections and handshakes refused.", [
    "listener",
    "reason",
  ]);
  const pushes = createHistogram(
    registry,
    "eyrie_push_seconds",
    "Duration of one durable write to the queue.",
    [],
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  ).cell();
  const restarts = counter(
    "eyrie_redis_watchdog_restarts_total",
    "Consumers restarted because they had stalled.",
  ).cell();
  const matches = counter("eyrie_rule_matches_total", "Audit events matched.", ["rule", "priority", "source"]);
  const notJudged = counter("eyrie_events_not_judged_total", "Audit events that the rules failed on.").cell();
  const ruleCount = gauge("eyrie_rules_active", "Rules that audit events are judged by.");
  const reloads = counter("eyrie_rules_reloads_total", "Reloads of changed rules files.", ["outcome"]);
  const outputsOff = gauge("eyrie_output_disabled", "1: the output was configured and is off; the key is at fault.", [
    "output",
    "key",
  ]);
  const optionsOff = gauge("eyrie_option_disabled", "1: the value of the key is not used.", ["key"]);
  const build = gauge("eyrie_build_info", "The version that runs.", ["version", "node"]);
  build.set({ version: options.version ?? "unknown", node: process.versions.node }, 1);

  const depth = gauge("eyrie_lane_events", "Events in a lane by state.", ["lane", "state"]);
  const age = gauge("eyrie_lane_oldest_age_seconds", "Age of a lane's oldest event that is not settled.", ["lane"]);
  const durable = gauge("eyrie_queue_durable", "1: an accepted event survives a crash.");
  const writable = gauge("eyrie_queue_writable", "1: the queue takes events.");
  const damaged = gauge("eyrie_queue_damaged_bytes", "Size of the damaged queue files that are kept.");
  const lost = gauge("eyrie_queue_lost_events", "Events that kept damaged files could not give back.", ["lane"]);
  const spilled = gauge("eyrie_spill_events", "Events in the local spill, waiting for Redis.");
  const inflight = gauge("eyrie_intake_inflight_bytes", "Bytes of request bodies held in memory.");

  const listenerGauges = {
    requests: gauge("eyrie_listener_requests", "Requests at work.", ["listener"]),
    bytes: gauge("eyrie_listener_body_bytes", "Bytes of request bodies held in memory.", ["listener"]),
    connections: gauge("eyrie_listener_connections", "Open connections.", ["listener"]),
  };
  const saturated = gauge(
    "eyrie_listener_saturated",
    "1: too much is at work, and slow requests or new ones are refused.",
    ["listener"],
  );

  const lastSuccess = new Map<string, number>();
  const { read: readMetadata, ...metadata } = createMetadataMetrics(registry);
  let sources: ScrapeSources = {};
  const readSources = async (): Promise<void> => {
    const status = sources.queue?.();
    if (status) {
      durable.set(Number(status.durable));
      writable.set(Number(status.writable));
      spilled.set(status.spilled ?? 0);
      damaged.set(status.damaged?.bytes ?? 0);
      lost.reset();
      for (const [lane, events] of Object.entries(status.damaged?.lost ?? {})) lost.set({ lane }, events);
    }
    for (const [output, seconds] of lastSuccess) success.set({ output }, seconds);
    inflight.set(sources.inflightBytes?.() ?? 0);
    const known = sources.metadata?.();
    if (known) readMetadata(known);
    for (const state of sources.listeners?.() ?? []) {
      const { listener } = state;
      for (const name of ["requests", "bytes", "connections"] as const)
        listenerGauges[name].set({ listener }, state[name]);
      saturated.set({ listener }, Number(state.saturated !== undefined));
    }
    const lanes = await sources.lanes?.().catch(() => undefined);
    depth.reset();
    age.reset();
    for (const { lane, depth: found } of lanes ?? []) {
      for (const state of laneStates) depth.set({ lane, state }, found[state]);
      const since = found.oldestAt === undefined ? 0 : Math.max(0, options.now() - found.oldestAt) / 1000;
      age.set({ lane }, since);
    }
  };

  let running: Promise<string> | undefined;
  return {
    ...metadata,
    contentType,
    refusedLabels: events.refused,
    expose: () => {
      running ??= readSources()
        .then(() => registry.metrics())
        .then((text) => `${text}\n${events.expose()}`)
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    input: (source, status, n) => inputs.cell(source, status).add(n),
    event: countEvent,
    delivery: (output, destination) => {
      const ok = outputs.cell(destination, "ok");
      const error = outputs.cell(destination, "error");
      const worked = attempts.cell(output, "ok");
      const seconds = latency.cell(output);
      breaker.set({ output }, breakerValue.closed);
      return {
        attempt: (outcome, took, taken, failed) => {
          seconds.observe(took);
          (outcome === "ok" ? worked : attempts.cell(output, outcome)).add(1);
          error.add(failed);
          if (taken === 0) return;
          ok.add(taken);
          lastSuccess.set(output, options.now() / 1000);
        },
        retried: (reason, alerts) => retries.cell(output, reason).add(alerts),
        dead: (reason, alerts) => dead.cell(output, reason).add(alerts),
        omitted: (parts) => omitted.cell(output).add(parts),
        breaker: (state) => breaker.set({ output }, breakerValue[state]),
        listenerFailed: (listener) => deaf.cell(output, listener).add(1),
      };
    },
    intakeBytes: (source, n) => bytes.cell(source).add(n),
    intakeRejected: (source, reason, n) => rejected.cell(source, reason).add(n),
    putAside: (where, reason, n) => dead.cell(where, reason).add(n),
    lettersDropped: (lane, n) => dropped.cell(lane).add(n),
    credentialReload: (of, outcome) => credentials.cell(of, outcome).add(1),
    sourceGap: (source) => gaps.cell(source).add(1),
    refused: (listener, reason, n) => refused.cell(listener, reason).add(n),
    push: (seconds) => pushes.observe(seconds),
    redisWatchdogRestart: () => restarts.add(1),
    ruleMatch: (rule, priority, source) => matches.cell(rule, priority, source).add(1),
    eventNotJudged: () => notJudged.add(1),
    rulesLoaded: (rules) => ruleCount.set(rules),
    rulesReload: (outcome) => reloads.cell(outcome).add(1),
    off: (key, output) => {
      if (output === undefined) optionsOff.set({ key }, 1);
      else outputsOff.set({ output, key }, 1);
    },
    scrape: (next) => {
      sources = next;
    },
  };
};
