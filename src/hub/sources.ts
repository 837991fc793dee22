import { join } from "node:path";
import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import { credentialCheckMs, followCredentials } from "../http/credentials.ts";
import type { HubServer } from "../http/server.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Counts } from "../pipeline/counts.ts";
import type { Intake } from "../pipeline/intake.ts";
import type { OpenSource } from "../sdk/source.ts";
import { fileCheckpoint } from "./checkpoint.ts";
import { followSecrets } from "./credentials.ts";

/** Opens every configured source; when one cannot open, those before it are closed again and the error goes on. */
export const openSources = async (
  config: HubConfig,
  parts: {
    readonly server: HubServer;
    readonly intake: Intake;
    readonly metrics: Metrics;
    readonly counts: Counts;
    readonly log: Logger;
    readonly now: () => number;
  },
): Promise<readonly OpenSource[]> => {
  const { server, intake, metrics, counts, log, now } = parts;
  const open: OpenSource[] = [];
  try {
    for (const { id, source, config: settings, secretFiles } of config.sources) {
      const credentials = {
        everyMs: credentialCheckMs,
        log: log.child({ source: id }),
        reloaded: (outcome: "ok" | "error") => metrics.credentialReload(id, outcome),
      };
      open.push(
        await source.open(settings, {
          push: (events) => intake.events(id, events),
          drop: (count, reason) => counts.rejected(id, reason, count),
          gap: () => metrics.sourceGap(id),
          listen: server.listenForSource(id),
          checkpoint: fileCheckpoint(join(config.datadir, "checkpoints"), id),
          follow: (files, what, reload) => followCredentials(files, what, credentials, reload),
          followSecrets: (changed) => followSecrets(source.fields, secretFiles, credentials, changed),
          log: credentials.log,
          now,
        }),
      );
    }
  } catch (error) {
    await Promise.all(open.map((s) => s.close()));
    throw error;
  }
  return open;
};
