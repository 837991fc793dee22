/** What an owner of the queue file does before anything is handed out. */

import { type Core, laneOf } from "./sqlite-core.ts";
import { createLane } from "./sqlite-lane.ts";

/**
 * Deaths that are counted before an item is put aside. The first death of a series is not: items are only marked when
 * handed out after one. So the fifth death is the last.
 */
const countedDeaths = 4;

export function prepareStart(core: Core, unclean: boolean): void {
  const { store } = core;
  const now = core.now();
  store.begin();
  for (const { key, name } of store.lanes()) {
    core.lanes.set(name, createLane(name, key, true));
    core.laneKey = Math.max(core.laneKey, key);
  }
  // A clock that was set back must not keep a retry waiting longer than it was told to.
  store.db.prepare("UPDATE item SET due=?+wait WHERE due>?+wait").run(now, now);
  if (unclean) store.db.exec("UPDATE item SET crashes=crashes+1, held=0 WHERE held=1");
  const poison = store.db
    .prepare("SELECT lane, seq, id, at, count, attempt, body, shared FROM item WHERE crashes>=?")
    .all(countedDeaths) as Record<string, number>[];
  for (const p of poison) {
    const [lane, seq, body] = [p.lane ?? 0, p.seq ?? 0, p.body ?? 0];
    store.addDead(lane, {
      id: `${p.id}~${p.attempt}.p`,
      at: p.at ?? now,
      died: now,
      count: p.count ?? 1,
      why: "poison: in hand at five process deaths",
      body: store.readBody(body) ?? "",
    });
    store.dropItem(lane, seq);
    store.leaveBody(body, p.shared === 1);
  }
  store.commit();
  if (poison.length > 0)
    core.warnings.push(`${poison.length} chunks were in hand at five process deaths: dead letters`);
  const names = new Map([...core.lanes.values()].map((l) => [l.key, l.name]));
  for (const row of store.counts()) {
    const lane = laneOf(core, names.get(row.lane) ?? `lane-${row.lane}`);
    lane.total = row.total;
    lane.delayed = row.late;
    lane.dead = row.dead;
  }
}
