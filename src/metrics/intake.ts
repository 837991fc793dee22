import type { Alert } from "../sdk/alert.ts";
import { createEventSeries, type EventLabels, type SeriesLimits } from "./event-series.ts";
import type { Families } from "./families.ts";

export type InputStatus = "accepted" | "rejected";

/** What comes in, and what is turned away. */
export interface IntakeMetrics {
  /** Names from `labels` that cannot be labels, to be logged at start. */
  readonly refusedLabels: readonly string[];
  /** falcosidekick's inputs_total: events by the way they came (`requests` for HTTP). */
  input(source: string, status: InputStatus, n: number): void;
  /** falcosidekick's falco_events_total: one valid alert. */
  event(alert: Alert): void;
  /** Bytes of bodies as they came over the wire. */
  intakeBytes(source: string, bytes: number): void;
  /** Requests and events refused: `too_large`, `unauthorized`, `invalid`, … */
  intakeRejected(source: string, reason: string, n: number): void;
  /** Requests, connections and handshakes that a listener refused. */
  refused(listener: string, reason: string, n: number): void;
  /** The files of a certificate or a token changed; `error`: what was read before stays in force. */
  credentialReload(of: string, outcome: "ok" | "error"): void;
  /** A place in what a source reads where events may be missing. */
  sourceGap(source: string): void;
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

export interface IntakeOptions {
  readonly labels?: Partial<EventLabels>;
  /** Bounds of falco_events_total. */
  readonly series?: Partial<SeriesLimits>;
  /** Told once, when falco_events_total is full. */
  readonly seriesFull?: () => void;
}

interface IntakeScrape {
  /** `inflight`: bytes of bodies held in memory. */
  read(inflight: number, listeners: readonly ListenerState[]): void;
  /** falco_events_total, which is no family of the registry. */
  exposeEvents(): string;
}

export const createIntakeMetrics = (
  { counter, gauge }: Families,
  options: IntakeOptions,
): IntakeMetrics & IntakeScrape => {
  const inputs = counter("falcosecurity_falcosidekick_inputs_total", "Events received.", ["source", "status"]);
  const bytes = counter("eyrie_intake_bytes_total", "Bytes of request bodies as received.", ["source"]);
  const rejected = counter("eyrie_intake_rejected_total", "Events and requests refused.", ["source", "reason"]);
  const credentials = counter("eyrie_credential_reloads_total", "Reloads of changed credentials.", ["of", "outcome"]);
  const gaps = counter("eyrie_source_gaps_total", "Places where events of a source may be missing.", ["source"]);
  const refused = counter("eyrie_refusals_total", "Requests, connections and handshakes refused.", [
    "listener",
    "reason",
  ]);
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
  return {
    refusedLabels: events.refused,
    input: (source, status, n) => inputs.cell(source, status).add(n),
    event: countEvent,
    intakeBytes: (source, n) => bytes.cell(source).add(n),
    intakeRejected: (source, reason, n) => rejected.cell(source, reason).add(n),
    credentialReload: (of, outcome) => credentials.cell(of, outcome).add(1),
    sourceGap: (source) => gaps.cell(source).add(1),
    refused: (listener, reason, n) => refused.cell(listener, reason).add(n),
    exposeEvents: events.expose,
    read: (held, listeners) => {
      inflight.set(held);
      for (const state of listeners) {
        const { listener } = state;
        for (const name of ["requests", "bytes", "connections"] as const)
          listenerGauges[name].set({ listener }, state[name]);
        saturated.set({ listener }, Number(state.saturated !== undefined));
      }
    },
  };
};
