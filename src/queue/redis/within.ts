/** Work on a Redis that may be away for a while. */

import { setTimeout as sleep } from "node:timers/promises";
import { QueueError } from "../queue.ts";

/** Waits for the work, its failure, or the time: whichever is first. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), over]);
  clearTimeout(timer);
}

/** Does it again until it is done, so many milliseconds long, or the queue is closed: then the last failure rejects. */
export async function keepTrying<T>(work: () => Promise<T>, ms: number, closed: () => boolean): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (closed() || (error instanceof QueueError && error.kind === "closed") || performance.now() > end) throw error;
      await sleep(250);
    }
  }
}
