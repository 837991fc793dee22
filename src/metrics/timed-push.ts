import type { Queue } from "../queue/queue.ts";
import type { Metrics } from "./metrics.ts";

/** The queue's push, each durable write measured. */
export const timedPush =
  (queue: Pick<Queue, "push">, metrics: Pick<Metrics, "push">): Queue["push"] =>
  async (chunks) => {
    const start = performance.now();
    await queue.push(chunks);
    metrics.push((performance.now() - start) / 1000);
  };
