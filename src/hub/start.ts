import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import { alertTest } from "../fields/condition.ts";
import { credentialCheckMs } from "../http/credentials.ts";
import { deadLetters } from "../http/dead-letters.ts";
import { HttpError } from "../http/errors.ts";
import { createServer } from "../http/server.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { makeAlertSettings } from "../pipeline/alert-in.ts";
import { countIn } from "../pipeline/counts.ts";
import { openIntake } from "../pipeline/intake.ts";
import type { LoadedRules } from "../pipeline/judge/load-rules.ts";
import { openRules } from "../pipeline/judge/rules.ts";
import { lanesOf, outputOfLane } from "../pipeline/lanes.ts";
import { compileRoutes, routeStage } from "../pipeline/route.ts";
import { canWalkAtTheDoor, listStages } from "../pipeline/stages.ts";
import { walkAtTheDoor } from "../pipeline/walk.ts";
import { openWorker } from "../pipeline/worker.ts";
import type { Queue } from "../queue/queue.ts";
import { announce, watchQueue } from "./announce.ts";
import { closeInOrder } from "./close.ts";
import { followTokens, tokensOf } from "./credentials.ts";
import { loopMarks, openOutputs } from "./outputs.ts";
import { openConfiguredQueue } from "./queue.ts";
import { readiness } from "./readiness.ts";
import { openSources } from "./sources.ts";

export interface Hub {
  /** URLs of the ports that listen, the alert port first. */
  readonly addresses: readonly string[];
  /**
   * Readiness goes, the doors close, what is queued is delivered until `deadlineMs`; what is left stays in the queue.
   */
  close(deadlineMs: number): Promise<void>;
}

export interface HubParts {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly version: string;
  /** As they were read before the start; absent: they are read now. */
  readonly rules?: LoadedRules;
}

/** Opens everything in the order of the flow, back to front, so that nothing arrives before what it needs. */
export const startHub = async (config: HubConfig, parts: HubParts): Promise<Hub> => {
  const { log, now } = parts;
  const metrics = createMetrics({
    labels: {
      customfields: Object.keys(config.customfields),
      templatedfields: Object.keys(config.templatedfields),
      extralabels: config.metrics.extralabels,
    },
    series: {
      maxSeries: config.metrics.maxseries,
      maxBytes: config.metrics.maxbytes,
      maxLabel: config.metrics.maxlabel,
    },
    seriesFull: () =>
      log.warn(
        "falco_events_total has all the series it may have (prometheus.maxseries, prometheus.maxbytes); others count as overflow",
      ),
    now,
    version: parts.version,
  });
  for (const { key, off } of config.off) metrics.off(key, off?.output);
  for (const label of metrics.refusedLabels) log.warn({ label }, "this name cannot be a metric label and is left out");
  const { settings, problems } = makeAlertSettings(config, parts.uuid);
  for (const problem of problems) log.warn({ key: problem.key }, problem.message);

  const works = config.role !== "intake";
  const counts = countIn(metrics);
  const rules = works ? openRules(config, { log, metrics, counts, settings }, parts.rules) : undefined;
  const queue = await openConfiguredQueue(config, { log, metrics, now });
  const route = routeStage(compileRoutes(config.outputs, alertTest));
  const stages = listStages({ route, ...(rules && { judge: rules.stage }) });
  const outputs = works ? await openOutputs(config, { ...parts, queue, metrics }) : [];
  const workers = works ? openWorker(queue, stages) : [];

  const takes = config.role !== "worker";
  const push = timedPush(queue, metrics.push);
  const intake = openIntake({
    push,
    ...(works && canWalkAtTheDoor(stages) && { pushAlerts: walkAtTheDoor(stages, push) }),
    settings,
    counts,
    driver: config.queue.driver,
    now,
  });
  let tokens = tokensOf(config.values);
  const server = createServer({
    config,
    take: takes ? (text, { itself }) => intake.alerts(text, itself) : refuse,
    ready: readiness(queue, outputs, config.off),
    loops: loopMarks(config),
    metrics,
    log,
    now,
    families: [
      deadLetters({
        queue,
        lanes: lanesOf(config.outputs),
        state: (lane) => outputs.find((o) => o.id === outputOfLane(lane))?.delivery.state(),
        token: () => tokens.operators,
        log,
        now,
      }),
    ],
  });
  metrics.scrape({
    queue: () => queue.status(),
    inflightBytes: server.inflightBytes,
    listeners: server.listeners,
    lanes: async () =>
      Promise.all(
        [...new Set([...lanesOf(config.outputs), ...(await queue.lanes())])].map(async (lane) => ({
          lane,
          depth: await queue.depth(lane),
        })),
      ),
  });
  try {
    await server.listen();
    const credentials = {
      everyMs: credentialCheckMs,
      log,
      reloaded: (outcome: "ok" | "error") => metrics.credentialReload("hub", outcome),
    };
    const following = followTokens(config, credentials, (next) => {
      tokens = next;
      server.setTokens(next);
    });
    const sources = takes
      ? [await openSources(config, { server, intake, metrics, counts, log, now, uuid: parts.uuid })]
      : [];
    await announce(config, server.addresses(), queue, log);
    const stopWatching = watchQueue(queue, log);
    return {
      addresses: server.addresses(),
      close: (deadlineMs) => {
        stopWatching();
        following.close();
        rules?.close();
        return closeInOrder({ server, sources, intake, queue, outputs, workers }, deadlineMs, now, log);
      },
    };
  } catch (error) {
    rules?.close();
    await server.close(0);
    await Promise.all(outputs.map((o) => o.delivery.close(0)));
    await queue.close();
    throw error;
  }
};

const refuse = async (): Promise<never> => {
  throw new HttpError(503, "unavailable", "this process is a worker and takes no alerts", { "Retry-After": "5" });
};

const timedPush =
  (queue: Queue, seconds: (s: number) => void): Queue["push"] =>
  async (chunks) => {
    const start = performance.now();
    await queue.push(chunks);
    seconds((performance.now() - start) / 1000);
  };
