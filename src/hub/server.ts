import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import type { TakeAlerts } from "../http/alerts.ts";
import { credentialCheckMs } from "../http/credentials.ts";
import { damagedFiles } from "../http/damaged-files.ts";
import { deadLetters } from "../http/dead-letters.ts";
import { loopMarks } from "../http/loop-marks.ts";
import { metadataPages } from "../http/metadata.ts";
import { followTokens, tokensOf } from "../http/secrets.ts";
import { createServer, type HubServer } from "../http/server.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Metadata } from "../pipeline/enrich/metadata.ts";
import { knownLanes, lanesOf, outputOfLane } from "../pipeline/lanes.ts";
import type { Queue } from "../queue/queue.ts";
import type { OpenOutput } from "./outputs.ts";
import { readiness } from "./readiness.ts";

/** What the server stands in front of. */
export interface ServerParts {
  readonly take: TakeAlerts;
  readonly queue: Queue;
  readonly outputs: readonly OpenOutput[];
  readonly metadata: Metadata | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** The hub's doors and pages, not listening yet; `follow` reads its tokens again when their files change. */
export const openServer = (
  config: HubConfig,
  { take, queue, outputs, metadata, metrics, log, now }: ServerParts,
): { readonly server: HubServer; follow(): { close(): void } } => {
  let tokens = tokensOf(config.values);
  const lanes = lanesOf(config.outputs);
  const server = createServer({
    config,
    take,
    ready: readiness(queue, outputs, config.off, metadata),
    loops: loopMarks(config),
    metrics,
    log,
    now,
    families: [
      deadLetters({
        queue,
        lanes,
        state: (lane) => outputs.find((o) => o.id === outputOfLane(lane))?.delivery.state(),
        token: () => tokens.operators,
        log,
        now,
      }),
      damagedFiles({ queue, token: () => tokens.operators }),
      metadataPages({ metadata, token: () => tokens.operators }),
    ],
  });
  metrics.scrape({
    queue: () => queue.status(),
    inflightBytes: server.inflightBytes,
    listeners: server.listeners,
    metadata: () => metadata?.state(),
    lanes: async () =>
      Promise.all((await knownLanes(queue, lanes)).map(async (lane) => ({ lane, depth: await queue.depth(lane) }))),
  });
  const reloaded = (outcome: "ok" | "error") => metrics.credentialReload("hub", outcome);
  return {
    server,
    follow: () =>
      followTokens(config, { everyMs: credentialCheckMs, log, reloaded }, (next) => {
        tokens = next;
        server.setTokens(next);
      }),
  };
};
