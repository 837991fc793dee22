/** The table of items, and every statement that touches it but those that count over more tables. */

import type { DatabaseSync } from "node:sqlite";
import { type Books, figureOf } from "./statement.ts";

/** An item's row. Times in milliseconds since the epoch; `due` 0: ready. */
export interface ItemRow {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly count: number;
  readonly attempt: number;
  readonly due: number;
  readonly crashes: number;
  readonly bodySeq: number;
  readonly shared: boolean;
}

const itemColumns = "seq, id, at, count, attempt, due, crashes, body, shared";

const toItem = (r: Record<string, unknown>): ItemRow => ({
  seq: r.seq as number,
  id: r.id as string,
  at: r.at as number,
  count: r.count as number,
  attempt: r.attempt as number,
  due: r.due as number,
  crashes: r.crashes as number,
  bodySeq: r.body as number,
  shared: r.shared === 1,
});

export const openItemTable = (db: DatabaseSync, books: Books) => ({
  ...openArrivals(db, books),
  ...openEndings(db, books),
  ...openOrder(db),
});

function openArrivals(db: DatabaseSync, books: Books) {
  const addItem = db.prepare("INSERT INTO item VALUES(?,?,?,?,?,?,?,?,0,?,?,?) ON CONFLICT(lane, id) DO NOTHING");
  const addItems = db.prepare(
    `INSERT INTO item SELECT value->>0, value->>1, ?, ?, ?, 0, 0, 0, 0, 0, ?, 1 FROM json_each(?) WHERE true
       ON CONFLICT(lane, id) DO NOTHING RETURNING lane`,
  );
  const holding = db.prepare("SELECT lane FROM item WHERE id=? AND lane IN (SELECT value FROM json_each(?))");
  const hasSeq = db.prepare("SELECT 1 FROM item WHERE lane=? AND seq=?");
  const hasId = db.prepare("SELECT seq FROM item WHERE lane=? AND id=?");
  return {
    /** False when the lane holds the id already: nothing was written. */
    addItem: (lane: number, r: ItemRow, wait: number) => {
      const shared = r.shared ? 1 : 0;
      const { changes } = addItem.run(
        ...[lane, r.seq, r.id, r.at, r.count, r.attempt, r.due, wait, r.crashes, r.bodySeq, shared],
      );
      if (changes === 1) books.ledger?.op("add", lane, r.seq, r.count);
      return changes === 1;
    },
    /** New items of one body in several lanes, which differ in lane and number alone; the lanes that did not hold the id. */
    addItems: (lanes: readonly number[], items: readonly ItemRow[]): ReadonlySet<number> => {
      const [first] = items;
      if (!first) return new Set();
      const pairs = JSON.stringify(items.map(({ seq }, i) => [lanes[i], seq]));
      const rows = addItems.all(first.id, first.at, first.count, first.bodySeq, pairs) as { lane: number }[];
      const added = new Set(rows.map(({ lane }) => lane));
      for (const [i, { seq, count }] of items.entries())
        if (added.has(lanes[i] as number)) books.ledger?.op("add", lanes[i] as number, seq, count);
      return added;
    },
    /** Which of the lanes hold the id. */
    holding: (id: string, lanes: readonly number[]): ReadonlySet<number> =>
      new Set((holding.all(id, JSON.stringify(lanes)) as { lane: number }[]).map(({ lane }) => lane)),
    hasSeq: (lane: number, seq: number) => hasSeq.get(lane, seq) !== undefined,
    hasId: (lane: number, id: string) => hasId.get(lane, id) !== undefined,
  };
}

function openEndings(db: DatabaseSync, books: Books) {
  const dropItems = db.prepare("DELETE FROM item WHERE (lane, seq) IN (SELECT value->>0, value->>1 FROM json_each(?))");
  const dropItem = db.prepare("DELETE FROM item WHERE lane=? AND seq=?");
  const setItem = db.prepare(
    "UPDATE item SET count=?, attempt=?, due=?, wait=?, crashes=0, body=?, shared=? WHERE lane=? AND seq=?",
  );
  const countDeath = db.prepare(
    "UPDATE item SET crashes=crashes+1 WHERE id=? AND lane=(SELECT key FROM lane WHERE name=?)",
  );
  return {
    /** Items that are over, by lane and number. */
    dropItems: (items: readonly { readonly lane: number; readonly seq: number; readonly count: number }[]) => {
      if (items.length > 1) dropItems.run(JSON.stringify(items.map(({ lane, seq }) => [lane, seq])));
      for (const { lane, seq, count } of items) {
        if (items.length === 1) dropItem.run(lane, seq);
        books.ledger?.op("over", lane, seq, count);
      }
    },
    /** `moved`: other items take its place. */
    dropItem: (lane: number, { seq, count }: Pick<ItemRow, "seq" | "count">, moved: boolean) => {
      dropItem.run(lane, seq);
      books.ledger?.op(moved ? "moved" : "over", lane, seq, count);
    },
    /** `count`: the events it had. */
    setItem: (lane: number, r: ItemRow, wait: number, count: number) => {
      setItem.run(r.count, r.attempt, r.due, wait, r.bodySeq, r.shared ? 1 : 0, lane, r.seq);
      if (r.count === count) return;
      books.ledger?.op("over", lane, r.seq, count);
      books.ledger?.op("add", lane, r.seq, r.count);
    },
    countDeath: (lane: string, id: string) => void countDeath.run(id, lane),
  };
}

function openOrder(db: DatabaseSync) {
  const readyAfter = db.prepare(
    `SELECT ${itemColumns} FROM item WHERE lane=? AND seq>? AND due=0 ORDER BY seq LIMIT ?`,
  );
  const dueUntil = db.prepare(
    `SELECT ${itemColumns} FROM item WHERE lane=? AND due>0 AND due<=? AND (due, seq)>(?,?) ORDER BY due, seq LIMIT ?`,
  );
  const nextDue = figureOf(
    db,
    "SELECT due FROM item WHERE lane=? AND due>0 AND (due, seq)>(?,?) ORDER BY due, seq LIMIT 1",
  );
  const oldest = db.prepare(
    "SELECT seq, min(at) AS at FROM (SELECT seq, at FROM item WHERE lane=? ORDER BY seq LIMIT 100)",
  );
  return {
    readyAfter: (lane: number, seq: number, limit: number) => readyAfter.all(lane, seq, limit).map(toItem),
    dueUntil: (lane: number, until: number, from: { due: number; seq: number }, limit: number) =>
      dueUntil.all(lane, until, from.due, from.seq, limit).map(toItem),
    /** When the next delayed item after `from` is due; 0: none. */
    nextDue: (lane: number, from: { due: number; seq: number }) => nextDue(lane, from.due, from.seq),
    /** Of the first hundred. */
    oldest: (lane: number) => {
      const found = oldest.get(lane) as unknown as { seq: number | null; at: number };
      return found.seq === null ? undefined : { seq: found.seq, at: found.at };
    },
  };
}
