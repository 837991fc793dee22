/** Small tools for queue tests: chunks, waiting, and a consumer that records. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Chunk, Handle, Item, Settlement } from "../../src/queue/queue.ts";

export const chunk = (lane: string, id: string, body = `{"id":"${id}"}`, more: Partial<Chunk> = {}): Chunk => ({
  lane,
  id,
  body,
  count: 1,
  at: 1_700_000_000_000,
  ...more,
});

/** Polls until `check` holds; fails with `what` after the deadline. */
export async function until(what: string, check: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(5);
  }
}

/** A handler that keeps what it was given and settles with `settle` (default: done). */
export function recorder(settle: (item: Item) => Settlement | Promise<Settlement> = () => ({})) {
  const items: Item[] = [];
  const handle: Handle = async (item) => {
    items.push(item);
    return settle(item);
  };
  return { items, handle };
}
