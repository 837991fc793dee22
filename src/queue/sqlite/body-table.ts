/** The tables of bodies and of their holders: a body is stored once, `share` counts the holders of one that has several. */

import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { figureOf } from "./statement.ts";

export function openBodyTable(db: DatabaseSync) {
  const addBody = db.prepare("INSERT INTO body VALUES(?,?,?,?,?,?,?)");
  const readBody = db.prepare("SELECT crc, data FROM body WHERE seq=?");
  const setBody = db.prepare("UPDATE body SET crc=?, count=?, data=? WHERE seq=?");
  const dropBody = db.prepare("DELETE FROM body WHERE seq=?");
  const putShare = db.prepare("INSERT INTO share VALUES(?,?) ON CONFLICT(body) DO UPDATE SET refs=refs+excluded.refs");
  const readShare = figureOf(db, "SELECT refs FROM share WHERE body=?");
  const dropShare = db.prepare("DELETE FROM share WHERE body=?");
  const bodyBytes = figureOf(db, "SELECT octet_length(data) FROM body WHERE seq=?");
  return {
    addBody: (seq: number, lane: number, r: { id: string; at: number; count: number }, data: string) =>
      void addBody.run(seq, crc32(data), lane, r.id, r.at, r.count, data),
    /** Undefined: there is none; null: its checksum does not fit. */
    readBody: (seq: number): string | null | undefined => {
      const row = readBody.get(seq);
      if (!row) return undefined;
      return typeof row.data === "string" && crc32(row.data) === row.crc ? row.data : null;
    },
    bodyBytes: (seq: number) => bodyBytes(seq),
    setBody: (seq: number, data: string, count: number) => void setBody.run(crc32(data), count, data, seq),
    addHolders: (body: number, holders: number) => void putShare.run(body, holders),
    /** So many holders of the body less; the last one takes it away. */
    leaveBody: (body: number, shared: boolean, holders = 1) => {
      if (shared && readShare(body) > holders) return void putShare.run(body, -holders);
      if (shared) dropShare.run(body);
      dropBody.run(body);
    },
  };
}
