import { formatProblem } from "../config/problem.ts";
import type { Problem } from "../config/types.ts";
import type { Readiness } from "../http/health.ts";
import type { Metadata } from "../pipeline/enrich/metadata.ts";
import type { Queue } from "../queue/queue.ts";
import type { OpenOutput } from "./outputs.ts";

/**
 * Ready: an alert sent now would be kept, and what it is to be enriched with is known or was waited for. A store that takes alerts but may forget them is not ready; a destination that
 * fails, or what is `off`, is named but does not make the hub unready: the other outputs work, and a sender that is turned
 * away loses its alert. The page asks for no token: what a destination said is not on it.
 */
export const readiness = (
  queue: Queue,
  outputs: readonly OpenOutput[],
  off: readonly Problem[],
  metadata: Pick<Metadata, "ready"> | undefined,
) => {
  const missing = off.map((problem) => `off: ${formatProblem(problem)}`);
  return (): Readiness => {
    const status = queue.status();
    const failing = outputs.flatMap(({ id, delivery }) => {
      const { healthy, lastFailure } = delivery.state();
      return healthy || !lastFailure ? [] : [`output ${id}: ${lastFailure.reason}: ${lastFailure.outline}`];
    });
    const knows = metadata?.ready() ?? true;
    const unknown = knows ? [] : ["metadata: the cluster's objects are not all told yet"];
    return {
      ok: status.writable && status.durable && knows,
      reasons: [...status.warnings, ...unknown, ...missing, ...failing],
    };
  };
};
