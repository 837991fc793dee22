/** The window of a lane's items that is in memory: filled from disk in their order, those that came due first. */

import type { Core } from "./core.ts";
import { cameDue } from "./counters.ts";
import type { ItemRow } from "./item-table.ts";
import { type Lane, type Rec, recOfRow } from "./lane.ts";

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
      core.wake(lane);
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

export function rest(core: Core, lane: Lane): void {
  lane.restUntil = core.clock() + core.throwDelayMs;
  wakeAt(core, lane, lane.restUntil);
}

export function nextRec(core: Core, lane: Lane): Rec | undefined {
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
