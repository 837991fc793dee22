/** Hands items to consumers, oldest first, from a window in memory that is filled from disk. */

import { corruptReason } from "./handling.ts";
import type { Chunk, Item, Settlement } from "./queue.ts";
import { type Core, laneOf } from "./sqlite-core.ts";
import { type Lane, type Rec, recOf, recOfRow, type Slot } from "./sqlite-lane.ts";
import { isCorrupt } from "./sqlite-open.ts";
import type { ItemRow } from "./sqlite-store.ts";

/** Items of a lane that memory knows at a time, besides those in hand, and how many one read brings. */
const windowSize = 2000;
const pageSize = 256;

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

/** Puts a new item at the end of its lane; what does not fit the window is found on disk later. */
export function enlist(core: Core, rec: Rec): void {
  const { lane } = rec;
  if (lane.known.has(rec.seq)) return;
  // Numbers are given before rows are written: what a read has passed already must be listed now.
  if (rec.seq > lane.cursor && (lane.behind || lane.ready.size >= windowSize)) {
    lane.behind = true;
    return;
  }
  lane.cursor = Math.max(lane.cursor, rec.seq);
  lane.known.set(rec.seq, rec);
  lane.ready.push(rec);
  core.cache.keep(rec);
}

function adopt(core: Core, lane: Lane, row: ItemRow): Rec {
  const rec = recOfRow(lane, row);
  const parked = lane.parked.get(row.seq);
  if (parked) {
    lane.parked.delete(row.seq);
    core.cache.drop(parked);
    rec.body = parked.body;
    rec.live = parked.live;
    core.cache.keep(rec);
  }
  lane.known.set(row.seq, rec);
  return rec;
}

function readMore(core: Core, lane: Lane): void {
  if (!lane.stored) return;
  // Items of the batch are not on disk: they stay behind the cursor for the next read.
  const limit = pageSize;
  const rows = core.store.readyAfter(lane.key, lane.cursor, limit);
  for (const row of rows) if (!lane.known.has(row.seq)) lane.ready.push(adopt(core, lane, row));
  const last = rows.at(-1);
  if (last) lane.cursor = last.seq;
  lane.behind = rows.length === limit || core.batch.pushed.some((r) => r.lane === lane && !lane.known.has(r.seq));
}

function readDue(core: Core, lane: Lane): void {
  const rows = core.store.dueUntil(lane.key, core.clock(), lane.dueFrom, pageSize);
  for (const row of rows.toSorted((a, b) => a.seq - b.seq)) {
    lane.late.push(adopt(core, lane, row));
    lane.delayed -= row.count;
  }
  const last = rows.at(-1);
  if (last) lane.dueFrom = { due: last.due, seq: last.seq };
  armTimer(core, lane);
}

/** One timer per lane, for its next delayed item. Runs only for lanes that are consumed. */
export function armTimer(core: Core, lane: Lane): void {
  if (lane.slots.length === 0 || core.closed || lane.delayed <= 0) return;
  const at = core.store.nextDue(lane.key, lane.dueFrom);
  if (at === 0 || (lane.timer && lane.timerAt <= at)) return;
  clearTimeout(lane.timer);
  lane.timerAt = at;
  lane.timer = setTimeout(
    () => {
      lane.timer = undefined;
      if (core.closed) return;
      if (lane.late.size === 0) guarded(core, () => readDue(core, lane));
      dispatch(core, lane);
    },
    Math.min(Math.max(1, Math.ceil(at - core.clock())), 2 ** 30),
  );
}

function guarded(core: Core, work: () => void): void {
  try {
    work();
  } catch (error) {
    core.log("error", `queue: the file cannot be read: ${(error as Error).message}`);
  }
}

function nextRec(core: Core, lane: Lane): Rec | undefined {
  for (;;) {
    if (lane.late.size === 0 && lane.delayed > 0 && !lane.timer) guarded(core, () => readDue(core, lane));
    if (lane.late.size === 0 && lane.ready.size === 0 && lane.behind) guarded(core, () => readMore(core, lane));
    const rec = lane.late.shift() ?? lane.ready.shift();
    if (rec?.state !== "gone") return rec;
    core.cache.drop(rec);
  }
}

/** As nextRec; an item that a process died of is handed out when nothing else of its lane is in hand, and nothing beside it. */
function nextInTurn(core: Core, lane: Lane): Rec | undefined {
  if (lane.alone) return undefined;
  const rec = lane.suspect ?? nextRec(core, lane);
  lane.suspect = undefined;
  if (!rec || rec.crashes === 0) return rec;
  if (lane.slots.some((slot) => slot.inHand > 0)) {
    lane.suspect = rec;
    return undefined;
  }
  lane.alone = rec;
  return rec;
}

export function dispatch(core: Core, lane: Lane): void {
  for (const slot of lane.slots) {
    while (!core.closed && !slot.closed && !slot.paused && slot.inHand < slot.parallel) {
      const rec = nextInTurn(core, lane);
      if (!rec) return;
      take(core, slot, rec);
    }
  }
}

function take(core: Core, slot: Slot, rec: Rec): void {
  slot.inHand++;
  slot.recs.add(rec);
  rec.turn++;
  rec.active = true;
  rec.lane.active += rec.count;
  core.cache.drop(rec);
  core.handling.during([{ lane: rec.lane.name, id: rec.id }], () => start(core, slot, rec));
}

/** Undefined: there is none, and the item has been settled for it. */
function readText(core: Core, slot: Slot, rec: Rec): string | undefined {
  let text: string | undefined;
  try {
    text = core.store.readBody(rec.bodySeq);
  } catch (error) {
    if (!isCorrupt(error)) {
      core.log("error", `queue: the file cannot be read: ${(error as Error).message}`);
      const retry = { body: "", count: rec.count, inMs: core.throwDelayMs };
      finish(core, slot, rec, rec.turn, "", { retry }, true);
      return undefined;
    }
  }
  if (text === undefined) {
    core.putAside(rec.lane.name, corruptReason, rec.count);
    const dead = [{ body: "", count: rec.count, why: corruptReason }];
    finish(core, slot, rec, rec.turn, "", { dead }, false);
  }
  return text;
}

function start(core: Core, slot: Slot, rec: Rec): void {
  const { turn } = rec;
  const text = rec.body ?? readText(core, slot, rec);
  if (text === undefined) return;
  const item: Item = {
    lane: rec.lane.name,
    id: rec.id,
    body: text,
    count: rec.count,
    at: rec.at,
    attempt: rec.attempt,
    ...(rec.live === undefined ? undefined : { live: rec.live }),
    ...(rec.crashes > 0 && { alone: true as const }),
  };
  const threw = (error: unknown) => {
    core.log("error", `queue: a consumer of ${rec.lane.name} failed: ${(error as Error)?.message ?? "no reason"}`);
    const retry = { body: text, count: rec.count, inMs: core.throwDelayMs };
    finish(core, slot, rec, turn, text, { retry }, true);
  };
  // A new item's text is still to be written; everything else needs it no longer.
  if (rec.state === "stored") rec.body = rec.live = undefined;
  try {
    slot.handle(item).then((s) => finish(core, slot, rec, turn, text, s, false), threw);
  } catch (error) {
    threw(error);
  }
}

function finish(
  core: Core,
  slot: Slot,
  rec: Rec,
  turn: number,
  body: string,
  settlement: Settlement,
  asItWas: boolean,
): void {
  if (rec.turn !== turn || core.closed) return;
  if (rec.state === "gone") {
    release(core, slot, rec);
    return;
  }
  const children: Rec[] = [];
  try {
    for (const chunk of settlement.next ?? []) {
      const child = admit(core, chunk);
      if (child) children.push(child);
    }
  } catch (error) {
    core.log("error", `queue: the file cannot be read: ${(error as Error).message}`);
  }
  core.batch.settled.push({ rec, body, settlement, children, asItWas });
  // While writes succeed a slot is free at once; on a full disk it waits, so that memory holds no pile of results.
  const free = () => release(core, slot, rec);
  if (core.writable && !slot.closed) free();
  else core.batch.waiters.push({ resolve: free, reject: free });
  core.schedule();
}

function release(core: Core, slot: Slot, rec: Rec): void {
  if (!slot.recs.delete(rec)) return;
  slot.inHand--;
  if (rec.lane.alone === rec) rec.lane.alone = undefined;
  if (slot.inHand === 0) slot.idle?.();
  dispatch(core, rec.lane);
}

/** An item that nobody finished goes back to the front of its lane. */
export function giveBack(slot: Slot, rec: Rec): void {
  if (!slot.recs.delete(rec)) return;
  slot.inHand--;
  if (rec.lane.alone === rec) rec.lane.alone = undefined;
  rec.turn++;
  if (rec.active) rec.lane.active -= rec.count;
  rec.active = false;
  if (rec.state !== "gone") rec.lane.late.push(rec);
  if (slot.inHand === 0) slot.idle?.();
}
