import type { Readiness } from "../http/health.ts";
import type { Queue } from "../queue/queue.ts";
import type { OpenOutput } from "./outputs.ts";

/**
 * Ready: an alert sent now would be kept. A store that takes alerts but may forget them is not ready; a destination that
 * fails is named but does not make the hub unready, for its alerts wait.
 */
export const readiness = (queue: Queue, outputs: readonly OpenOutput[]) => (): Readiness => {
  const status = queue.status();
  const failing = outputs.flatMap(({ id, delivery }) => {
    const { healthy, lastFailure } = delivery.state();
    return healthy || !lastFailure ? [] : [`output ${id}: ${lastFailure.reason}: ${lastFailure.message}`];
  });
  return { ok: status.writable && status.durable, reasons: [...status.warnings, ...failing] };
};
