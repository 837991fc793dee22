/** The tables of lanes and of facts by name, and what is counted over all tables. */

import type { DatabaseSync } from "node:sqlite";
import { type Books, figureOf } from "./statement.ts";
import { pageSize } from "./wal.ts";

export function openFactTables(db: DatabaseSync, books: Books) {
  const addLane = db.prepare("INSERT OR IGNORE INTO lane VALUES(?,?)");
  const setMeta = db.prepare("INSERT INTO meta VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value");
  const readMeta = figureOf(db, "SELECT value FROM meta WHERE name=?");
  const dropMeta = db.prepare("DELETE FROM meta WHERE name>=? AND name<?");
  return {
    addLane: (key: number, name: string) => {
      addLane.run(key, name);
      books.ledger?.name(key, name);
    },
    lanes: () => db.prepare("SELECT key, name FROM lane").all() as { key: number; name: string }[],
    setMeta: (name: string, value: number) => void setMeta.run(name, value),
    readMeta: (name: string) => readMeta(name),
    /** Values of all names that begin so. */
    metaUnder: (prefix: string) =>
      db.prepare("SELECT name, value FROM meta WHERE name>=? AND name<?").all(prefix, `${prefix}\u{10ffff}`) as {
        name: string;
        value: number;
      }[],
    dropMetaUnder: (prefix: string) => void dropMeta.run(prefix, `${prefix}\u{10ffff}`),
  };
}

export function openFigures(db: DatabaseSync) {
  const pages = figureOf(db, "PRAGMA page_count");
  const free = figureOf(db, "PRAGMA freelist_count");
  return {
    maxSeq: () => ({
      item: figureOf(db, "SELECT max(seq) FROM item")(),
      body: figureOf(db, "SELECT max(seq) FROM body")(),
    }),
    /** Events per lane: all that are not settled, those delayed, and the dead. */
    counts: () =>
      db
        .prepare(
          `SELECT lane, sum(total) AS total, sum(late) AS late, sum(dead) AS dead FROM (
             SELECT lane, sum(count) AS total, sum(CASE WHEN due>0 THEN count ELSE 0 END) AS late, 0 AS dead
               FROM item GROUP BY lane
             UNION ALL SELECT lane, 0, 0, sum(count) FROM dead GROUP BY lane) GROUP BY lane`,
        )
        .all() as { lane: number; total: number; late: number; dead: number }[],
    /** Bytes of the file's pages in use, and of those that wait to be used again. */
    pages: () => ({ used: (pages() - free()) * pageSize, inside: free() * pageSize }),
  };
}
