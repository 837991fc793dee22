/**
 * The tables of the embedded queue and every statement that touches them. A body is stored once, however many lanes
 * hold it: `share` counts the holders of a body that has more than one. All calls are synchronous; the caller groups
 * them between `begin` and `commit`.
 */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { crc32 } from "node:zlib";
import { privateFile } from "../private-files.ts";
import type { Ledger } from "./ledger.ts";
import { migrate } from "./schema.ts";
import { openStateTable } from "./state-table.ts";
import { pageSize } from "./wal.ts";

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

export interface LetterRow {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly died: number;
  readonly count: number;
  readonly why: string;
  readonly body: string;
}

/** Of a dead letter; `size` is its body's, in bytes. */
export interface LetterSize {
  readonly seq: number;
  readonly lane: number;
  readonly count: number;
  readonly size: number;
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

export type Store = ReturnType<typeof openStore>;

/** A store without a file. */
export const memory = ":memory:";

/**
 * Opens or creates the file; its log is folded at `logPages` pages. Throws node:sqlite's error when it is no database, and
 * NewerFile.
 */
export function openStore(path: string, logPages: number) {
  if (path !== memory) privateFile(path);
  const db = new DatabaseSync(path, { timeout: 1000 });
  try {
    db.exec(
      `PRAGMA page_size=${pageSize}; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;` +
        `PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=${logPages}; PRAGMA cell_size_check=ON;` +
        "PRAGMA journal_size_limit=16777216;",
    );
    migrate(db);
  } catch (error) {
    db.close();
    throw error;
  }
  const sql = (text: string) => db.prepare(text);
  const one = (text: string) => {
    const statement = sql(text);
    return (...args: SQLInputValue[]) => Number(Object.values(statement.get(...args) ?? { n: 0 })[0] ?? 0);
  };
  const [begin, commit, rollback] = [sql("BEGIN IMMEDIATE"), sql("COMMIT"), sql("ROLLBACK")];
  const addItem = sql("INSERT INTO item VALUES(?,?,?,?,?,?,?,?,0,?,?,?) ON CONFLICT(lane, id) DO NOTHING");
  const addItems = sql(
    `INSERT INTO item SELECT value->>0, value->>1, ?, ?, ?, 0, 0, 0, 0, 0, ?, 1 FROM json_each(?) WHERE true
       ON CONFLICT(lane, id) DO NOTHING RETURNING lane`,
  );
  const dropItems = sql("DELETE FROM item WHERE (lane, seq) IN (SELECT value->>0, value->>1 FROM json_each(?))");
  const holding = sql("SELECT lane FROM item WHERE id=? AND lane IN (SELECT value FROM json_each(?))");
  const addBody = sql("INSERT INTO body VALUES(?,?,?,?,?,?,?)");
  const dropItem = sql("DELETE FROM item WHERE lane=? AND seq=?");
  const dropBody = sql("DELETE FROM body WHERE seq=?");
  const putShare = sql("INSERT INTO share VALUES(?,?) ON CONFLICT(body) DO UPDATE SET refs=refs+excluded.refs");
  const readShare = one("SELECT refs FROM share WHERE body=?");
  const dropShare = sql("DELETE FROM share WHERE body=?");
  const setBody = sql("UPDATE body SET crc=?, count=?, data=? WHERE seq=?");
  const setItem = sql(
    "UPDATE item SET count=?, attempt=?, due=?, wait=?, crashes=0, body=?, shared=? WHERE lane=? AND seq=?",
  );
  const countDeath = sql("UPDATE item SET crashes=crashes+1 WHERE id=? AND lane=(SELECT key FROM lane WHERE name=?)");
  const readBody = sql("SELECT crc, data FROM body WHERE seq=?");
  const hasSeq = sql("SELECT 1 FROM item WHERE lane=? AND seq=?");
  const bodyBytes = one("SELECT octet_length(data) FROM body WHERE seq=?");
  const hasId = sql("SELECT seq FROM item WHERE lane=? AND id=?");
  const readyAfter = sql(`SELECT ${itemColumns} FROM item WHERE lane=? AND seq>? AND due=0 ORDER BY seq LIMIT ?`);
  const dueUntil = sql(
    `SELECT ${itemColumns} FROM item WHERE lane=? AND due>0 AND due<=? AND (due, seq)>(?,?) ORDER BY due, seq LIMIT ?`,
  );
  const nextDue = one("SELECT due FROM item WHERE lane=? AND due>0 AND (due, seq)>(?,?) ORDER BY due, seq LIMIT 1");
  const oldest = sql("SELECT seq, min(at) AS at FROM (SELECT seq, at FROM item WHERE lane=? ORDER BY seq LIMIT 100)");
  const addLane = sql("INSERT OR IGNORE INTO lane VALUES(?,?)");
  const setMeta = sql("INSERT INTO meta VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value");
  const readMeta = one("SELECT value FROM meta WHERE name=?");
  const dropMeta = sql("DELETE FROM meta WHERE name>=? AND name<?");
  const addDead = sql("INSERT OR IGNORE INTO dead(lane,id,at,died,count,why,body) VALUES(?,?,?,?,?,?,?)");
  const letterColumns = "seq, id, at, died, count, why, body";
  const letters = sql(`SELECT ${letterColumns} FROM dead WHERE lane=? AND seq>? ORDER BY seq LIMIT ?`);
  const lastLetter = one("SELECT max(seq) FROM dead WHERE lane=?");
  const letterById = sql(`SELECT ${letterColumns} FROM dead WHERE lane=? AND id=?`);
  const dropLetter = sql("DELETE FROM dead WHERE seq=?");
  const sizes = "SELECT seq, lane, count, octet_length(body) AS size FROM dead";
  const oldestLetters = sql(`${sizes} ORDER BY seq LIMIT 100`);
  const lettersAbove = sql(`${sizes} WHERE octet_length(body)>? LIMIT 100`);
  const pages = one("PRAGMA page_count");
  const free = one("PRAGMA freelist_count");

  let ledger: Ledger | undefined;

  return {
    db,
    state: openStateTable(db),
    /** Every transaction from now on is counted there, too. */
    countIn: (other: Ledger) => {
      ledger = other;
    },
    begin: () => {
      ledger?.forget();
      begin.run();
    },
    commit: () => {
      ledger?.prepare();
      commit.run();
      ledger?.confirm();
    },
    rollback: () => {
      ledger?.forget();
      if (db.isTransaction) rollback.run();
    },
    /** Folds the log into the file, and the count begins anew when it is long. Throws what the disk refuses. */
    fold: () => {
      const { busy, log, checkpointed } = db.prepare("PRAGMA wal_checkpoint").get() ?? {};
      if (!ledger?.isLong() || busy !== 0 || log !== checkpointed) return;
      ledger.snapshot();
      setMeta.run("count", ledger.generation());
    },
    /** The count has become long: it is time to fold. */
    isLong: () => ledger?.isLong() ?? false,
    closeCount: (clean: boolean) => ledger?.close(clean),
    addLane: (key: number, name: string) => {
      addLane.run(key, name);
      ledger?.name(key, name);
    },
    setMeta: (name: string, value: number) => void setMeta.run(name, value),
    readMeta: (name: string) => readMeta(name),
    /** Values of all names that begin so. */
    metaUnder: (prefix: string) =>
      sql("SELECT name, value FROM meta WHERE name>=? AND name<?").all(prefix, `${prefix}\u{10ffff}`) as {
        name: string;
        value: number;
      }[],
    dropMetaUnder: (prefix: string) => void dropMeta.run(prefix, `${prefix}\u{10ffff}`),
    lanes: () => sql("SELECT key, name FROM lane").all() as { key: number; name: string }[],
    /** False when the lane holds the id already: nothing was written. */
    addItem: (lane: number, r: ItemRow, wait: number) => {
      const shared = r.shared ? 1 : 0;
      const { changes } = addItem.run(
        ...[lane, r.seq, r.id, r.at, r.count, r.attempt, r.due, wait, r.crashes, r.bodySeq, shared],
      );
      if (changes === 1) ledger?.op("add", lane, r.seq, r.count);
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
        if (added.has(lanes[i] as number)) ledger?.op("add", lanes[i] as number, seq, count);
      return added;
    },
    /** Items that are over, by lane and number. */
    dropItems: (items: readonly { readonly lane: number; readonly seq: number; readonly count: number }[]) => {
      if (items.length > 1) dropItems.run(JSON.stringify(items.map(({ lane, seq }) => [lane, seq])));
      for (const { lane, seq, count } of items) {
        if (items.length === 1) dropItem.run(lane, seq);
        ledger?.op("over", lane, seq, count);
      }
    },
    /** Which of the lanes hold the id. */
    holding: (id: string, lanes: readonly number[]): ReadonlySet<number> =>
      new Set((holding.all(id, JSON.stringify(lanes)) as { lane: number }[]).map(({ lane }) => lane)),
    addBody: (seq: number, lane: number, r: { id: string; at: number; count: number }, data: string) =>
      void addBody.run(seq, crc32(data), lane, r.id, r.at, r.count, data),
    /** Undefined: there is none; null: its checksum does not fit. */
    readBody: (seq: number): string | null | undefined => {
      const row = readBody.get(seq);
      if (!row) return undefined;
      return typeof row.data === "string" && crc32(row.data) === row.crc ? row.data : null;
    },
    /** `moved`: other items take its place. */
    bodyBytes: (seq: number) => bodyBytes(seq),
    dropItem: (lane: number, { seq, count }: Pick<ItemRow, "seq" | "count">, moved: boolean) => {
      dropItem.run(lane, seq);
      ledger?.op(moved ? "moved" : "over", lane, seq, count);
    },
    addHolders: (body: number, holders: number) => void putShare.run(body, holders),
    /** So many holders of the body less; the last one takes it away. */
    leaveBody: (body: number, shared: boolean, holders = 1) => {
      if (shared && readShare(body) > holders) return void putShare.run(body, -holders);
      if (shared) dropShare.run(body);
      dropBody.run(body);
    },
    setBody: (seq: number, data: string, count: number) => void setBody.run(crc32(data), count, data, seq),
    /** `count`: the events it had. */
    setItem: (lane: number, r: ItemRow, wait: number, count: number) => {
      setItem.run(r.count, r.attempt, r.due, wait, r.bodySeq, r.shared ? 1 : 0, lane, r.seq);
      if (r.count === count) return;
      ledger?.op("over", lane, r.seq, count);
      ledger?.op("add", lane, r.seq, r.count);
    },
    countDeath: (lane: string, id: string) => void countDeath.run(id, lane),
    hasSeq: (lane: number, seq: number) => hasSeq.get(lane, seq) !== undefined,
    hasId: (lane: number, id: string) => hasId.get(lane, id) !== undefined,
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
    addDead: (lane: number, r: Omit<LetterRow, "seq">) => {
      const { changes } = addDead.run(lane, r.id, r.at, r.died, r.count, r.why, r.body);
      if (changes === 1) ledger?.op("dead", lane, 0, r.count);
      return changes === 1;
    },
    letters: (lane: number, after: number, limit: number) => letters.all(lane, after, limit) as unknown as LetterRow[],
    /** Number of the lane's newest letter; 0: none. */
    lastLetter: (lane: number) => lastLetter(lane),
    letter: (lane: number, id: string) => letterById.get(lane, id) as unknown as LetterRow | undefined,
    dropLetter: (lane: number, { seq, count }: Pick<LetterRow, "seq" | "count">) => {
      dropLetter.run(seq);
      ledger?.op("dead", lane, 0, -count);
    },
    oldestLetters: () => oldestLetters.all() as unknown as LetterSize[],
    lettersAbove: (bytes: number) => lettersAbove.all(bytes) as unknown as LetterSize[],
    deadBytes: one("SELECT total(octet_length(body)) FROM dead"),
    maxSeq: () => ({ item: one("SELECT max(seq) FROM item")(), body: one("SELECT max(seq) FROM body")() }),
    /** Events per lane: all that are not settled, those delayed, and the dead. */
    counts: () =>
      sql(
        `SELECT lane, sum(total) AS total, sum(late) AS late, sum(dead) AS dead FROM (
           SELECT lane, sum(count) AS total, sum(CASE WHEN due>0 THEN count ELSE 0 END) AS late, 0 AS dead
             FROM item GROUP BY lane
           UNION ALL SELECT lane, 0, 0, sum(count) FROM dead GROUP BY lane) GROUP BY lane`,
      ).all() as { lane: number; total: number; late: number; dead: number }[],
    /** Bytes of the file's pages in use, and of those that wait to be used again. */
    pages: () => ({ used: (pages() - free()) * pageSize, inside: free() * pageSize }),
  };
}
