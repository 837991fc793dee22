/** Small tools for queue tests: chunks, and a consumer that records. */

import type { Chunk, Handle, Item, Settlement } from "../../src/queue/queue.ts";

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
