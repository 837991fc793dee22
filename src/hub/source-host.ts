import { join } from "node:path";
import type { Logger } from "pino";
import type { HubConfig, SourceInstance } from "../config/types.ts";
import { credentialCheckMs, followCredentials } from "../http/credentials.ts";
import { HttpError } from "../http/errors.ts";
import { followSecrets } from "../http/secrets.ts";
import type { HubServer } from "../http/server.ts";
import { checkWeight } from "../http/weight.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Counts } from "../pipeline/counts.ts";
import type { BodyOutcome, Intake } from "../pipeline/intake.ts";
import { fileCheckpoint } from "../queue/checkpoint-file.ts";
import type { Leases } from "../queue/lease.ts";
import type { SourceHost } from "../sdk/source.ts";
import { createThrottledLog } from "../sdk/throttled-log.ts";

export interface SourceParts {
  readonly server: HubServer;
  readonly intake: Intake;
  readonly leases: Leases;
  readonly metrics: Pick<Metrics, "credentialReload" | "sourceGap">;
  readonly counts: Pick<Counts, "accepted" | "rejected">;
  readonly log: Logger;
  readonly now: () => number;
}

/** What a configured source is lent. */
export const sourceHost = (
  { id, source, secretFiles }: SourceInstance,
  { datadir }: Pick<HubConfig, "datadir">,
  { server, intake, leases, metrics, counts, log, now }: SourceParts,
): SourceHost => {
  const credentials = {
    everyMs: credentialCheckMs,
    log: log.child({ source: id }),
    reloaded: (outcome: "ok" | "error") => metrics.credentialReload(id, outcome),
  };
  const refused = createThrottledLog(credentials.log);
  return {
    push: (events) => intake.events(id, events),
    alerts: async (text) => {
      const { accepted, rejected, refused: causes = {} } = await taken(intake, text);
      if (accepted > 0) counts.accepted(id, accepted);
      for (const [cause, n] of Object.entries(causes)) counts.rejected(id, cause, n);
      if (rejected.length > 0)
        refused.warn("alerts", { reason: rejected[0]?.reason }, "alerts were refused", rejected.length);
      return { accepted, rejected };
    },
    drop: (count, reason) => counts.rejected(id, reason, count),
    gap: () => metrics.sourceGap(id),
    listen: server.listenForSource(id),
    checkpoint: fileCheckpoint(join(datadir, "checkpoints"), encodeURIComponent(id)),
    lease: (work) => leases.hold(id, work),
    follow: (files, what, reload) => followCredentials(files, what, credentials, reload),
    followSecrets: (changed) => followSecrets(source.fields, secretFiles, credentials, changed),
    log: credentials.log,
    now,
  };
};

/** A text that would be refused at the door is refused here: it would cost the same. */
const taken = async (intake: Intake, text: string): Promise<BodyOutcome> => {
  try {
    checkWeight(Buffer.from(text));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { accepted: 0, rejected: [{ index: 0, reason: error.message }], refused: { too_large: 1 } };
  }
  return intake.alerts(text);
};
