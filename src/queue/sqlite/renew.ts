/** A damaged file makes way for a new one while the queue goes on: memory forgets what only the old one knew. */

import { rmSync } from "node:fs";
import type { SQLInputValue } from "node:sqlite";
import { fifo } from "../fifo.ts";
import { refuse } from "./admit.ts";
import { moveAside } from "./aside.ts";
import { type Core, itemKey } from "./core.ts";
import { counted, kept, nothingCounted } from "./counters.ts";
import { isOver } from "./handout.ts";
import type { Lane } from "./lane.ts";
import { openNew, startCount } from "./open.ts";
import { emptyBatch } from "./write.ts";

/** Returns the name of the damaged file. Throws what the disk refuses; nothing has changed then. */
export function renew(core: Core, path: string): string {
  const aside = moveAside(path, core.now());
  try {
    core.store.closeCount(false);
    core.store.db.close();
  } catch {
    // It is read page by page from now on.
  }
  forgetStored(core);
  core.states.forget();
  const { store, volatile } = openNew(path);
  core.store = store;
  core.volatile = volatile;
  core.checked = true;
  if (!volatile) startCount(path, store, 0, core.seq, core.warnings);
  return aside;
}

/** What stands in the old file alone will be brought back from there. */
function forgetStored(core: Core): void {
  const { pushed, settled, waiters } = core.batch;
  core.batch = emptyBatch();
  core.batch.pushed.push(...pushed);
  core.batch.waiters.push(...waiters);
  for (const done of settled) {
    if (done.rec.state === "new") core.batch.settled.push(done);
    else {
      for (const child of done.children) refuse(core, child);
      done.free?.();
      if (isOver(done.settlement)) core.finished.set(itemKey(done.rec.lane.name, done.rec.seq), done.rec.count);
    }
  }
  const done = new Set(core.batch.settled.map((s) => s.rec));
  const waiting = new Set(core.batch.pushed.filter((rec) => !done.has(rec)));
  const fresh = [...core.batch.pushed, ...core.batch.settled.flatMap((s) => s.children)];
  for (const lane of core.lanes.values()) {
    for (const slot of lane.slots)
      for (const rec of [...slot.recs]) {
        if (rec.state === "new") {
          waiting.delete(rec);
          continue;
        }
        slot.recs.delete(rec);
        slot.inHand--;
        rec.turn++;
        rec.state = "aside";
        core.memory.give(rec.grant);
        rec.grant = undefined;
        if (lane.alone === rec) lane.alone = undefined;
        if (slot.inHand === 0) slot.idle?.();
      }
    emptyLane(core, lane);
  }
  for (const rec of fresh) kept(rec);
  for (const rec of waiting) {
    if (rec.inMs > 0) continue;
    rec.lane.known.set(rec.seq, rec);
    rec.lane.cursor = Math.max(rec.lane.cursor, rec.seq);
    rec.lane.ready.push(rec);
  }
}

function emptyLane(core: Core, lane: Lane): void {
  for (const list of [lane.ready, lane.late])
    for (let rec = list.shift(); rec; rec = list.shift()) if (rec.state !== "new") core.cache.drop(rec);
  for (const rec of lane.parked.values()) core.cache.drop(rec);
  lane.parked.clear();
  lane.known.clear();
  clearTimeout(lane.timer);
  Object.assign(lane, { ready: fifo(), late: fifo(), stored: false, behind: false, cursor: 0, timer: undefined });
  Object.assign(lane, { dueFrom: { due: 0, seq: 0 }, restUntil: 0, next: undefined, oldest: undefined });
  counted(lane, nothingCounted);
}

/** A store in memory becomes a file as soon as there is room for one. */
export function anchor(core: Core, path: string): void {
  if (!core.volatile) return;
  const opened = openNew(path);
  const { store } = opened;
  try {
    if (opened.volatile) throw new Error("there is still no room");
    store.begin();
    for (const table of ["meta", "lane", "item", "body", "share", "dead", "state"])
      for (const row of core.store.db.prepare(`SELECT * FROM ${table}`).iterate()) {
        const values = Object.values(row) as SQLInputValue[];
        store.db.prepare(`INSERT OR REPLACE INTO ${table} VALUES(${values.map(() => "?").join()})`).run(...values);
      }
    store.commit();
  } catch {
    store.db.close();
    for (const suffix of ["", "-wal"]) rmSync(path + suffix, { force: true });
    return;
  }
  core.store.db.close();
  core.store = store;
  core.volatile = false;
  startCount(path, store, 0, core.seq, core.warnings);
}
