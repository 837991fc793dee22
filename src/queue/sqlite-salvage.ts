/**
 * What a damaged queue file still holds, copied into a new one under the same numbers. The damaged file keeps its
 * content under a new name, so that nothing is destroyed by being unreadable.
 */

import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Store } from "./sqlite-store.ts";
import { imageWithWal } from "./sqlite-wal.ts";

type Row = Record<string, number | string | null>;

/** Moves the file and its log aside; returns the new name. */
export function quarantine(path: string, stamp: number): string {
  let name = `${path}.corrupt-${stamp}`;
  for (let n = 1; existsSync(name) || existsSync(`${name}-wal`); n++) name = `${path}.corrupt-${stamp}-${n}`;
  for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) renameSync(path + suffix, name + suffix);
  rmSync(`${path}-shm`, { force: true });
  return name;
}

/** Every row that one of several ways of walking the table still reaches. */
function readAll(db: DatabaseSync, table: string, keys: readonly string[]): Row[] {
  const found = new Map<string, Row>();
  const walk = (open: () => StatementSync) => {
    try {
      for (const row of open().iterate() as Iterable<Row>) found.set(keys.map((k) => row[k]).join(), row);
      return true;
    } catch {
      return false;
    }
  };
  const order = (direction: string) => keys.map((k) => `${k} ${direction}`).join();
  const whole = walk(() => db.prepare(`SELECT * FROM ${table} ORDER BY ${order("ASC")}`));
  if (!whole) walk(() => db.prepare(`SELECT * FROM ${table} ORDER BY ${order("DESC")}`));
  return [...found.values()];
}

/** A body's rows are wide: they are read by number, each on its own, so that one bad page costs one body. */
function readBodies(db: DatabaseSync, numbers: Iterable<number>): Map<number, Row> {
  const bodies = new Map<number, Row>();
  for (const row of readAll(db, "body", ["seq"])) bodies.set(row.seq as number, row);
  const one = attempt(() => db.prepare("SELECT * FROM body WHERE seq=?"));
  for (const seq of numbers) {
    if (bodies.has(seq)) continue;
    const row = attempt(() => one?.get(seq) as Row | undefined);
    if (row) bodies.set(seq, row);
  }
  for (const [seq, row] of bodies) if (typeof row.data !== "string" || crc32(row.data) !== row.crc) bodies.delete(seq);
  return bodies;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const number = (value: unknown, otherwise: number) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;

export interface Salvaged {
  readonly events: number;
  readonly letters: number;
  /** Items whose body could not be read back. */
  readonly lostItems: number;
}

/** Copies what is readable in the quarantined file into an empty store, in one transaction. */
export function salvage(from: string, to: Store, now: number): Salvaged {
  const image = `${from}.image`;
  writeFileSync(image, imageWithWal(from, `${from}-wal`), { mode: 0o600 });
  let db: DatabaseSync | undefined;
  let [events, letters, lostItems] = [0, 0, 0];
  try {
    db = new DatabaseSync(image);
    const source = db;
    const lanes = readAll(source, "lane", ["key"]).filter((l) => typeof l.name === "string");
    const items = readAll(source, "item", ["lane", "seq"]);
    const bodies = readBodies(source, new Set(items.map((i) => number(i.body, -1))));
    const holders = new Map<number, number>();
    const known = new Set(lanes.map((l) => l.key));
    const seen = new Set<string>();
    let top = Math.max(0, ...items.map((i) => number(i.seq, 0)));
    to.begin();
    for (const lane of lanes) to.addLane(number(lane.key, 0), String(lane.name));
    const keep = (item: Row, body: Row) => {
      if (!known.has(item.lane as number) || typeof item.id !== "string" || seen.has(`${item.lane} ${item.id}`)) return;
      seen.add(`${item.lane} ${item.id}`);
      const bodySeq = body.seq as number;
      const count = Math.max(1, number(item.count, 1));
      const row = {
        seq: item.seq as number,
        id: item.id,
        at: number(item.at, now),
        count,
        attempt: number(item.attempt, 0),
        due: number(item.due, 0),
        crashes: number(item.crashes, 0),
        bodySeq,
        shared: true,
      };
      if (!to.addItem(item.lane as number, row, number(item.wait, 0))) return;
      events += count;
      if (!holders.has(bodySeq)) to.addBody(bodySeq, item.lane as number, row, String(body.data));
      holders.set(bodySeq, (holders.get(bodySeq) ?? 0) + 1);
    };
    for (const item of items) {
      const body = bodies.get(number(item.body, -1));
      if (body) keep(item, body);
      else lostItems++;
    }
    // A body without an item lost its row with a damaged page: it goes back to the lane it was first in.
    for (const [seq, body] of bodies) if (!holders.has(seq)) keep({ ...body, seq: ++top }, body);
    for (const [seq, count] of holders) to.addHolders(seq, count);
    for (const l of readAll(source, "dead", ["seq"])) {
      if (!known.has(l.lane as number) || typeof l.id !== "string" || typeof l.body !== "string") continue;
      const letter = { id: l.id, at: number(l.at, now), died: number(l.died, now), count: number(l.count, 1) };
      if (to.addDead(l.lane as number, { ...letter, why: String(l.why), body: l.body })) letters++;
    }
    to.commit();
  } catch {
    // Nothing of it is a database any more; the file stays where it was put.
    to.rollback();
    [events, letters] = [0, 0];
  } finally {
    attempt(() => db?.close());
    rmSync(image, { force: true });
    rmSync(`${image}-journal`, { force: true });
  }
  return { events, letters, lostItems };
}
