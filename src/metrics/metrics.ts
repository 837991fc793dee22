import { collectDefaultMetrics, Registry } from "prom-client";
import type { QueueStatus } from "../queue/queue.ts";
import { familiesOf } from "./families.ts";
import { createIntakeMetrics, type IntakeMetrics, type IntakeOptions, type ListenerState } from "./intake.ts";
import { createMetadataMetrics, type MetadataMetrics, type MetadataState } from "./metadata.ts";
import { createOutputMetrics, type OutputMetrics } from "./outputs.ts";
import { createQueueMetrics, type LaneState, type QueueMetrics } from "./queue.ts";
import { createRuleMetrics, type RuleMetrics } from "./rules.ts";

/** Read when somebody scrapes; what cannot be read is left out of that scrape. */
export interface ScrapeSources {
  lanes?(): Promise<readonly LaneState[]>;
  queue?(): QueueStatus;
  /** Bytes of bodies held in memory. */
  inflightBytes?(): number;
  listeners?(): readonly ListenerState[];
  /** Undefined: nothing is configured that knows the cluster. */
  metadata?(): MetadataState | undefined;
}

/** Everything that the hub counts, a file for each part of it. */
export interface Metrics extends IntakeMetrics, OutputMetrics, QueueMetrics, RuleMetrics, MetadataMetrics {
  readonly contentType: string;
  /** The exposition text; scrapes that overlap share one collection. */
  expose(): Promise<string>;
  scrape(sources: ScrapeSources): void;
}

export interface MetricsOptions extends IntakeOptions {
  /** The Node process' own metrics. */
  readonly process?: boolean;
  readonly version?: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** falcosidekick's content type: scrapers that negotiate see the answer that they know. */
const contentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

export const createMetrics = (options: MetricsOptions): Metrics => {
  const registry = new Registry();
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  const families = familiesOf(registry);
  const { read: readIntake, exposeEvents, ...intake } = createIntakeMetrics(families, options);
  const { read: readOutputs, ...outputs } = createOutputMetrics(families, options.now);
  const { readStatus, readLanes, ...queue } = createQueueMetrics(families, options.now);
  const { read: readMetadata, ...metadata } = createMetadataMetrics(families);
  const build = families.gauge("eyrie_build_info", "The version that runs.", ["version", "node"]);
  build.set({ version: options.version ?? "unknown", node: process.versions.node }, 1);

  let sources: ScrapeSources = {};
  const readSources = async (): Promise<void> => {
    const [status, known] = [sources.queue?.(), sources.metadata?.()];
    if (status) readStatus(status);
    if (known) readMetadata(known);
    readOutputs();
    readIntake(sources.inflightBytes?.() ?? 0, sources.listeners?.() ?? []);
    readLanes((await sources.lanes?.().catch(() => undefined)) ?? []);
  };

  let running: Promise<string> | undefined;
  return {
    ...intake,
    ...outputs,
    ...queue,
    ...createRuleMetrics(families),
    ...metadata,
    contentType,
    expose: () => {
      running ??= readSources()
        .then(() => registry.metrics())
        .then((text) => `${text}\n${exposeEvents()}`)
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    scrape: (next) => {
      sources = next;
    },
  };
};
