/** Hands items to consumers, oldest first, from a window in memory that is filled from disk. */

import { corruptReason } from "../handling.ts";
import { weightOf } from "../memory.ts";
import type { Item, Settlement } from "../queue.ts";
import { admitAll, freeMemory, refuse } from "./admit.ts";
import { type Core, itemKey } from "./core.ts";
import { cameDue, givenBack, taken } from "./counters.ts";
import { type Lane, type Rec, recOfRow, type Slot } from "./lane.ts";
import { Damaged } from "./open.ts";
import type { ItemRow } from "./store.ts";

/** Items that memory knows at a time, besides those in hand: of all lanes, and of one at most and at least. */
const windows = { all: 20_000, most: 2000, least: 32 };
/** One read brings no more. */
const pageSize = 256;

const windowOf = (core: Core): number =>
  Math.max(windows.least, Math.min(windows.most, Math.floor(windows.all / core.lanes.size)));

/** Puts a new item at the end of its lane; what does not fit the window, or is due later, is found on disk. */
export function enlist(core: Core, rec: Rec): void {
  const { lane } = rec;
  if (rec.inMs > 0 || lane.known.has(rec.seq)) return;
  // Numbers are given before rows are written: what a read has passed already must be listed now.
  if (rec.seq > lane.cursor && (lane.behind || lane.ready.size >= windowOf(core))) {
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
    rec.decoded = parked.decoded;
    core.cache.keep(rec);
  }
  lane.known.set(row.seq, rec);
  return rec;
}

function readMore(core: Core, lane: Lane): void {
  if (!lane.stored) return;
  const limit = Math.min(pageSize, windowOf(core));
  const rows = core.store.readyAfter(lane.key, lane.cursor, limit);
  for (const row of rows) if (!lane.known.has(row.seq)) lane.ready.push(adopt(core, lane, row));
  // Items of the batch are not on disk: the cursor stays before them, though rows with higher numbers are there already.
  const unwritten = core.batch.pushed.find((rec) => rec.lane === lane && rec.inMs === 0 && !lane.known.has(rec.seq));
  lane.cursor = Math.min(rows.at(-1)?.seq ?? lane.cursor, unwritten ? unwritten.seq - 1 : Number.POSITIVE_INFINITY);
  lane.behind = rows.length === limit || unwritten !== undefined;
}

function readDue(core: Core, lane: Lane): void {
  const rows = core.store.dueUntil(lane.key, core.clock(), lane.dueFrom, Math.min(pageSize, windowOf(core)));
  for (const row of rows.toSorted((a, b) => a.seq - b.seq)) {
    lane.late.push(adopt(core, lane, row));
    cameDue(lane, row.count);
  }
  const last = rows.at(-1);
  if (last) lane.dueFrom = { due: last.due, seq: last.seq };
  armTimer(core, lane);
}

/** One timer per lane, for its next delayed item. Runs only for lanes that are consumed. */
export function armTimer(core: Core, lane: Lane): void {
  if (lane.slots.length === 0 || core.closed || core.sick || lane.delayed <= 0) return;
  let at = 0;
  if (!readable(core, lane, () => (at = core.store.nextDue(lane.key, lane.dueFrom))) || at === 0) return;
  wakeAt(core, lane, at);
}

function wakeAt(core: Core, lane: Lane, at: number): void {
  if (lane.timer && lane.timerAt <= at) return;
  clearTimeout(lane.timer);
  lane.timerAt = at;
  lane.timer = setTimeout(
    () => {
      lane.timer = undefined;
      if (core.closed || core.sick) return;
      if (lane.late.size === 0) readable(core, lane, () => readDue(core, lane));
      dispatch(core, lane);
      if (lane.restUntil > core.clock()) wakeAt(core, lane, lane.restUntil);
    },
    Math.min(Math.max(1, Math.ceil(at - core.clock())), 2 ** 30),
  );
}

/** False: the file cannot be read now, and the lane is looked at again later. */
function readable(core: Core, lane: Lane, read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    core.failed(error);
    rest(core, lane);
    return false;
  }
}

function rest(core: Core, lane: Lane): void {
  lane.restUntil = core.clock() + core.throwDelayMs;
  wakeAt(core, lane, lane.restUntil);
}

function nextRec(core: Core, lane: Lane): Rec | undefined {
  for (;;) {
    if (lane.late.size === 0 && lane.delayed > 0 && !lane.timer && !readable(core, lane, () => readDue(core, lane)))
      return undefined;
    // A page may bring nothing but items that are in hand.
    while (lane.late.size === 0 && lane.ready.size === 0 && lane.behind) {
      const from = lane.cursor;
      if (!readable(core, lane, () => readMore(core, lane)) || lane.cursor === from) break;
    }
    const rec = lane.late.shift() ?? lane.ready.shift();
    if (rec?.state !== "gone") return rec;
    core.cache.drop(rec);
  }
}

/** As nextRec; an item that a process died of is handed out when nothing else of its lane is in hand, and nothing beside it. */
function nextInTurn(core: Core, lane: Lane): Rec | undefined {
  if (lane.alone) return undefined;
  const rec = lane.next?.state === "gone" ? nextRec(core, lane) : (lane.next ?? nextRec(core, lane));
  lane.next = undefined;
  if (!rec) return undefined;
  const mustWait = rec.crashes > 0 && lane.slots.some((slot) => slot.inHand > 0);
  if (mustWait || !hasMemory(core, rec)) {
    lane.next = rec;
    return undefined;
  }
  if (rec.crashes > 0) lane.alone = rec;
  return rec;
}

/** False: not now; the lane is looked at again when it may have the memory that the item takes. */
function hasMemory(core: Core, rec: Rec): boolean {
  try {
    rec.bytes ??= rec.body?.length ?? core.store.bodyBytes(rec.bodySeq);
  } catch {
    // Reading the body itself tells what is wrong.
    rec.bytes = 0;
  }
  rec.grant = core.memory.take(rec.lane.tenant, weightOf(rec.bytes, rec.count));
  return rec.grant !== undefined;
}

export function dispatch(core: Core, lane: Lane): void {
  if (core.sick || lane.restUntil > core.clock()) return;
  for (const slot of lane.slots) {
    while (!core.closed && !slot.closed && !slot.paused && slot.inHand < slot.parallel) {
      const rec = nextInTurn(core, lane);
      if (!rec) return;
      take(core, slot, rec);
      // What was taken could not be read.
      if (core.sick || lane.restUntil > core.clock()) return;
    }
  }
}

function take(core: Core, slot: Slot, rec: Rec): void {
  slot.inHand++;
  slot.recs.add(rec);
  rec.turn++;
  taken(rec);
  core.cache.drop(rec);
  core.handling.during([{ lane: rec.lane.name, id: rec.id }], () => start(core, slot, rec));
}

/** Undefined: there is none, and the item has been settled or has gone back. */
function readText(core: Core, slot: Slot, rec: Rec): string | undefined {
  try {
    const text = core.store.readBody(rec.bodySeq);
    if (typeof text === "string") return text;
    // A body that is not where it belongs, or any in a file that was never looked at as a whole: others may be hidden.
    if (text === undefined || !core.checked) throw new Damaged("a body is missing");
  } catch (error) {
    core.failed(error);
    // The rescue brings it back, if anything does.
    if (core.sick) return undefined;
    giveBack(core, slot, rec);
    rest(core, rec.lane);
    return undefined;
  }
  core.putAside(rec.lane.name, corruptReason, rec.count);
  const dead = [{ body: "", count: rec.count, why: corruptReason }];
  finish(core, slot, rec, rec.turn, "", { dead }, false);
  return undefined;
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
    ...(rec.decoded === undefined ? undefined : { decoded: rec.decoded }),
    ...(rec.crashes > 0 && { alone: true as const }),
  };
  const threw = (error: unknown) => {
    core.log("error", `queue: a consumer of ${rec.lane.name} failed: ${(error as Error)?.message ?? "no reason"}`);
    const retry = { body: text, count: rec.count, inMs: core.throwDelayMs };
    finish(core, slot, rec, turn, text, { retry }, true);
  };
  // A new item's text is still to be written; everything else needs it no longer.
  if (rec.state === "stored") rec.body = rec.decoded = undefined;
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
  if (rec.turn !== turn || core.closed) {
    if (rec.state === "aside" && isOver(settlement)) core.finished.set(itemKey(rec.lane.name, rec.seq), rec.count);
    return;
  }
  if (rec.state === "gone") {
    release(core, slot, rec);
    return;
  }
  // While writes succeed a slot is free at once; on a full disk it waits, so that memory holds no pile of results.
  const end = () => release(core, slot, rec);
  const now = core.writable && !slot.closed;
  // Its memory is held until its outcome is written.
  const { grant } = rec;
  rec.grant = undefined;
  rec.lane.tenant.last = settlement.retry ? "failed" : "taken";
  const free = () => {
    core.memory.give(grant);
    if (!now) end();
  };
  const children: Rec[] = [];
  try {
    admitAll(core, settlement.next ?? [], (child) => children.push(child));
    core.batch.settled.push({ rec, body, settlement, children, asItWas, free });
  } catch (error) {
    // Without all of its children the item is not finished: it is handled once more.
    core.failed(error);
    for (const child of children) refuse(core, child);
    const retry = { body, count: rec.count, inMs: core.throwDelayMs };
    core.batch.settled.push({ rec, body, settlement: { retry }, children: [], asItWas: true, free });
  }
  if (now) end();
  core.schedule();
}

/** Nothing is to be kept of the item. */
export const isOver = ({ next, dead, retry }: Settlement): boolean =>
  !retry && (next ?? []).length + (dead ?? []).length === 0;

function release(core: Core, slot: Slot, rec: Rec): void {
  if (!slot.recs.delete(rec)) return;
  slot.inHand--;
  freeMemory(core, rec);
  if (rec.lane.alone === rec) rec.lane.alone = undefined;
  if (slot.inHand === 0) slot.idle?.();
  dispatch(core, rec.lane);
}

/** An item that nobody finished goes back to the front of its lane. */
export function giveBack(core: Core, slot: Slot, rec: Rec): void {
  if (!slot.recs.delete(rec)) return;
  slot.inHand--;
  freeMemory(core, rec);
  if (rec.lane.alone === rec) rec.lane.alone = undefined;
  rec.turn++;
  givenBack(rec);
  if (rec.state !== "gone") rec.lane.late.push(rec);
  if (slot.inHand === 0) slot.idle?.();
}
