/** Takes chunks in as items, and back where they cannot be written. */

import type { Chunk } from "./queue.ts";
import { type Core, laneOf } from "./sqlite-core.ts";
import { type Rec, recOf } from "./sqlite-lane.ts";

/** Makes an item of a chunk unless the lane holds its id. It is not in the batch yet. */
export function admit(core: Core, chunk: Chunk): Rec | undefined {
  const lane = laneOf(core, chunk.lane);
  if (lane.fresh.has(chunk.id)) return undefined;
  if (lane.stored && core.store.hasId(lane.key, chunk.id)) return undefined;
  const rec = recOf(lane, ++core.seq, chunk);
  lane.fresh.add(rec.id);
  lane.total += rec.count;
  return rec;
}

/** Takes back an item that could not be written. */
export function refuse(core: Core, rec: Rec): void {
  rec.state = "gone";
  rec.lane.total -= rec.count;
  if (rec.active) rec.lane.active -= rec.count;
  rec.active = false;
  rec.lane.fresh.delete(rec.id);
  rec.lane.known.delete(rec.seq);
  core.cache.drop(rec);
  freeMemory(core, rec);
}

/** What the item had of the memory for bodies in hand is free again. */
export function freeMemory(core: Core, rec: Rec): void {
  core.memory.give(rec.grant);
  rec.grant = undefined;
}
