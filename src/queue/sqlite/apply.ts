/** Memory follows a write that stands on the disk. */

import type { Core } from "./core.ts";
import { died, left, retried } from "./counters.ts";
import { handAgain } from "./handout.ts";
import type { Lane, Rec } from "./lane.ts";
import { enlist } from "./window.ts";
import type { Batch, Written } from "./write.ts";

/** Brings memory in line with what was written; returns the lanes that may have something to hand out. */
export function apply(core: Core, batch: Batch, written: Written): Set<Lane> {
  const touched = new Set<Lane>();
  const later = (rec: Rec) => {
    park(core, rec, rec.due, rec);
    touched.add(rec.lane);
  };
  for (const rec of batch.pushed) {
    rec.lane.fresh.delete(rec.id);
    if (written.skipped.has(rec)) continue;
    rec.lane.stored = true;
    rec.state = "stored";
    if (rec.inMs > 0) later(rec);
    // What did not fit the window can be found on the disk from now on.
    if (rec.lane.behind) touched.add(rec.lane);
    // In hand the handler has the text; outside it lives on only as far as the cache counts it.
    if (rec.cached === 0) rec.body = rec.decoded = undefined;
  }
  for (const settled of batch.settled) {
    const { rec, children, settlement } = settled;
    const { lane } = rec;
    if (written.refused.has(settled)) {
      handAgain(settled);
      touched.add(lane);
      continue;
    }
    const again = written.delayed.get(rec);
    if (lane.known.get(rec.seq) === rec) lane.known.delete(rec.seq);
    if (!again && lane.oldest?.seq === rec.seq) lane.oldest = undefined;
    if (again) {
      retried(rec, again.count);
      park(core, rec, again.due, settlement.retry);
    } else left(rec);
    rec.state = "gone";
    touched.add(lane);
    for (const child of children) {
      child.lane.fresh.delete(child.id);
      child.lane.stored = true;
      if (written.doubles.has(child)) {
        left(child);
        child.state = "gone";
        continue;
      }
      child.state = "stored";
      if (child.inMs > 0) later(child);
      enlist(core, child);
      touched.add(child.lane);
    }
  }
  for (const [lane, count] of written.died) {
    died(lane, count);
    lane.stored = true;
  }
  return touched;
}

/** Keeps the body of an item that is due later at hand while the cache has room. */
function park(core: Core, rec: Rec, due: number, left: Partial<Pick<Rec, "body" | "decoded">> | undefined): void {
  // It may have come due before its write was confirmed.
  if (!left || due - core.clock() > 60_000 || due <= rec.lane.dueFrom.due || rec.lane.known.has(rec.seq)) return;
  const parked: Rec = { ...rec, crashes: 0, state: "stored", body: left.body, decoded: left.decoded, cached: 0 };
  core.cache.keep(parked);
  if (parked.cached > 0) rec.lane.parked.set(rec.seq, parked);
}
