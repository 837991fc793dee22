/** Takes chunks in as items, and back where they cannot be written. */

import type { Chunk } from "../queue.ts";
import { type Core, laneOf } from "./core.ts";
import { arrived, left } from "./counters.ts";
import { type Rec, recOf } from "./lane.ts";

/** Makes an item of a chunk unless the lane holds its id. It is not in the batch yet. */
function admit(core: Core, chunk: Chunk, holding: ReadonlySet<number> | undefined): Rec | undefined {
  const lane = laneOf(core, chunk.lane);
  if (lane.fresh.has(chunk.id)) return undefined;
  if (lane.stored && (holding ? holding.has(lane.key) : core.store.hasId(lane.key, chunk.id))) return undefined;
  const rec = recOf(lane, ++core.seq, chunk);
  lane.fresh.add(rec.id);
  if (lane.total === 0) lane.oldest = { seq: rec.seq, at: rec.at };
  arrived(lane, rec.count, rec.inMs > 0);
  return rec;
}

/** Takes back an item that could not be written. */
export function refuse(core: Core, rec: Rec): void {
  rec.state = "gone";
  left(rec);
  rec.lane.fresh.delete(rec.id);
  rec.lane.known.delete(rec.seq);
  if (rec.lane.oldest?.seq === rec.seq) rec.lane.oldest = undefined;
  core.cache.drop(rec);
  freeMemory(core, rec);
}

/** What the item had of the memory for bodies in hand is free again. */
export function freeMemory(core: Core, rec: Rec): void {
  core.memory.give(rec.grant);
  rec.grant = undefined;
}

/** Calls `admitted` for each chunk that its lane does not hold. Those with one id stand together and are asked about together. */
export function admitAll(core: Core, chunks: readonly Chunk[], admitted: (rec: Rec) => void): void {
  for (let from = 0, to = 0; from < chunks.length; from = to) {
    const { id } = chunks[from] as Chunk;
    for (to = from + 1; chunks[to]?.id === id; to++);
    const alike = chunks.slice(from, to);
    const keys = alike.length > 3 ? alike.map(({ lane }) => laneOf(core, lane).key) : undefined;
    const holding = keys && core.store.holding(id, keys);
    for (const chunk of alike) {
      const rec = admit(core, chunk, holding);
      if (rec) admitted(rec);
    }
  }
}
