import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import { createAges } from "../deliver/age.ts";
import { alertTest } from "../fields/condition.ts";
import { takeNothing } from "../http/alerts.ts";
import { timedPush } from "../metrics/timed-push.ts";
import { makeAlertSettings } from "../pipeline/alert-in.ts";
import { countIn } from "../pipeline/counts.ts";
import { openMetadata } from "../pipeline/enrich/metadata.ts";
import { openIntake } from "../pipeline/intake.ts";
import type { LoadedRules } from "../pipeline/judge/load-rules.ts";
import { openRules } from "../pipeline/judge/rules.ts";
import { compileRoutes, routeStage } from "../pipeline/route.ts";
import { canWalkAtTheDoor, listStages } from "../pipeline/stages.ts";
import { walkAtTheDoor } from "../pipeline/walk.ts";
import { openWorker } from "../pipeline/worker.ts";
import { announce, watchQueue } from "./announce.ts";
import { closeInOrder } from "./close.ts";
import { openMetrics } from "./metrics.ts";
import { openOutputs } from "./outputs.ts";
import { openConfiguredQueue } from "./queue.ts";
import { openServer } from "./server.ts";
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

/** How exactly a jump of the wall clock is dated. */
const ageLookMs = 1000;

/** Rejects when something cannot be opened; what was open by then is closed again. */
export const startHub = async (config: HubConfig, parts: HubParts): Promise<Hub> => {
  const opened: Close[] = [];
  try {
    return await open(config, parts, (close) => void opened.push(close));
  } catch (error) {
    // What one of them says of its end would hide why the hub does not start.
    for (const close of opened.toReversed()) await Promise.allSettled([close()]);
    throw error;
  }
};

type Close = () => Promise<unknown> | unknown;

/** Opens everything in the order of the flow, back to front, so that nothing arrives before what it needs. */
const open = async (config: HubConfig, parts: HubParts, unlessStarted: (close: Close) => void): Promise<Hub> => {
  const { log, now } = parts;
  const [takes, works] = [config.role !== "worker", config.role !== "intake"];
  const metrics = openMetrics(config, parts);
  const counts = countIn(metrics);
  const { settings, problems } = makeAlertSettings(config, parts.uuid);
  for (const problem of problems) log.warn({ key: problem.key }, problem.message);

  const metadata = works ? await openMetadata(config, { log, random: parts.random, counts: metrics }) : undefined;
  unlessStarted(() => metadata?.close());
  const { enrich = [], add = [], added } = metadata?.enrichment ?? {};
  const judging = { log, metrics, counts, settings, ...(added && { added }) };
  const rules = works ? openRules(config, judging, parts.rules) : undefined;
  unlessStarted(() => rules?.close());
  const queue = await openConfiguredQueue(config, { log, metrics, now });
  unlessStarted(() => queue.close());
  const route = routeStage(compileRoutes(config.outputs, alertTest));
  const stages = listStages({ enrich, ...(rules && { judge: rules.stage }), add, route });
  const ages = createAges(now, () => performance.now());
  const looking = setInterval(ages.look, ageLookMs).unref();
  unlessStarted(() => clearInterval(looking));
  const outputs = works ? await openOutputs(config, { ...parts, queue, metrics, age: ages.of }) : [];
  unlessStarted(() => Promise.all(outputs.map(({ delivery }) => delivery.close(0))));
  const workers = works ? openWorker(queue, stages) : [];

  const push = timedPush(queue, metrics);
  const intake = openIntake({
    push,
    ...(works && canWalkAtTheDoor(stages) && { pushAlerts: walkAtTheDoor(stages, push) }),
    settings,
    counts,
    driver: config.queue.driver,
    now,
  });
  const { server, follow } = openServer(config, {
    queue,
    outputs,
    metadata,
    metrics,
    log,
    now,
    take: takes ? (text, { itself }) => intake.alerts(text, itself) : takeNothing,
  });
  unlessStarted(() => server.close(0));
  await server.listen();
  const following = follow();
  unlessStarted(() => following.close());
  const sources = takes
    ? [await openSources(config, { server, intake, metrics, counts, log, now, uuid: parts.uuid })]
    : [];
  unlessStarted(() => Promise.all(sources.map((source) => source.close())));
  await announce(config, server.addresses(), queue, log);
  const stopWatching = watchQueue(queue, log);
  return {
    addresses: server.addresses(),
    close: (deadlineMs) => {
      stopWatching();
      clearInterval(looking);
      following.close();
      rules?.close();
      return closeInOrder(
        { server, sources, intake, queue, outputs, workers, metadata },
        deadlineMs,
        () => performance.now(),
        log,
      );
    },
  };
};
