/** What an owner of the queue file does before anything is handed out. */

import { deathsOfPoison, poisonReason } from "../handling.ts";
import { letterIds } from "../ids.ts";
import { type Core, laneOf } from "./core.ts";
import { counted } from "./counters.ts";
import { createLane } from "./lane.ts";
import { isFull } from "./open.ts";

export function prepareStart(core: Core): void {
  const { store } = core;
  for (const { key, name } of store.lanes()) {
    core.lanes.set(name, createLane(name, key, true, core.wake));
    core.laneKey = Math.max(core.laneKey, key);
  }
  try {
    store.begin();
    settleFormer(core);
    store.commit();
    core.handling.counted();
  } catch (error) {
    store.rollback();
    // A full disk is no reason not to deliver: the next start does it.
    if (!isFull(error)) throw error;
    core.failed(error);
  }
  for (const row of store.counts()) {
    const { total, late, dead } = row;
    counted(laneOf(core, nameOf(core, row.lane)), { total, active: 0, delayed: late, dead });
  }
}

/** What the end of the process before this one left to be done. */
function settleFormer(core: Core): void {
  const { store } = core;
  const now = core.now();
  // A clock that was set back must not keep a retry waiting longer than it was told to.
  store.db.prepare("UPDATE item SET due=?+wait WHERE due>?+wait").run(now, now);
  store.state.pullBack(now);
  for (const { lane, id } of core.handling.found) store.countDeath(lane, id);
  const poison = store.db
    .prepare("SELECT lane, seq, id, at, count, attempt, body, shared FROM item WHERE crashes>=?")
    .all(deathsOfPoison) as Record<string, number>[];
  for (const p of poison) {
    const [lane, seq, body] = [p.lane ?? 0, p.seq ?? 0, p.body ?? 0];
    const text = store.readBody(body) ?? "";
    const [id = ""] = letterIds({ id: String(p.id), attempt: p.attempt ?? 0 }, [{ body: text }]);
    const letter = { id, at: p.at ?? now, died: now, count: p.count ?? 1, why: poisonReason, body: text };
    if (store.addDead(lane, letter)) core.putAside(nameOf(core, lane), letter.why, letter.count);
    store.dropItem(lane, { seq, count: letter.count }, false);
    store.leaveBody(body, p.shared === 1);
  }
}

const nameOf = (core: Core, key: number): string =>
  [...core.lanes.values()].find((l) => l.key === key)?.name ?? `lane-${key}`;
