/** Small tools for queue tests: chunks, and a consumer that records. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Chunk, Handle, Item, Queue, Settlement } from "../../src/queue/queue.ts";

export const chunk = (lane: string, id: string, body = `{"id":"${id}"}`, more: Partial<Chunk> = {}): Chunk => ({
  lane,
  id,
  body,
  count: 1,
  at: 1_700_000_000_000,
  ...more,
});

/** A handler that keeps what it was given and settles with `settle` (default: done). */
export function recorder(settle: (item: Item) => Settlement | Promise<Settlement> = () => ({})) {
  const items: Item[] = [];
  const handle: Handle = async (item) => {
    items.push(item);
    return settle(item);
  };
  return { items, handle };
}

/** Counts the events of a lane's items in its state under `events`, and moves each item to another lane. */
export const countingHandle =
  (queue: Queue, lane: string, to: string): Handle =>
  async (item) => {
    const found = await queue.state(lane).get("events");
    // Another has its turn between reading and settling.
    await sleep(1);
    return {
      next: [{ ...item, lane: to }],
      state: [{ key: "events", value: String(Number(found?.value ?? 0) + item.count), version: found?.version ?? 0 }],
    };
  };
