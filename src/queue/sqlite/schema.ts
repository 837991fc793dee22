/**
 * The tables of the embedded queue, as steps from one version of the file to the next: a step never changes, and what a
 * file has it keeps. survey.ts knows them in the same order.
 */

import type { DatabaseSync } from "node:sqlite";

const steps: readonly string[] = [
  `
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lane(key INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS item(lane INTEGER, seq INTEGER, id TEXT, at INTEGER, count INTEGER, attempt INTEGER,
  due INTEGER, wait INTEGER, held INTEGER, crashes INTEGER, body INTEGER, shared INTEGER,
  PRIMARY KEY(lane, seq)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS item_id ON item(lane, id);
CREATE INDEX IF NOT EXISTS item_due ON item(lane, due, seq) WHERE due > 0;
CREATE TABLE IF NOT EXISTS body(seq INTEGER PRIMARY KEY, crc INTEGER, lane INTEGER, id TEXT, at INTEGER,
  count INTEGER, data TEXT);
CREATE TABLE IF NOT EXISTS share(body INTEGER PRIMARY KEY, refs INTEGER);
CREATE TABLE IF NOT EXISTS dead(seq INTEGER PRIMARY KEY, lane INTEGER, id TEXT, at INTEGER, died INTEGER,
  count INTEGER, why TEXT, body TEXT);
CREATE UNIQUE INDEX IF NOT EXISTS dead_id ON dead(lane, id);
CREATE INDEX IF NOT EXISTS dead_order ON dead(lane, seq);
`,
  `
CREATE TABLE state(lane INTEGER, key TEXT, version INTEGER, expires INTEGER, wait INTEGER, value TEXT,
  PRIMARY KEY(lane, key)) WITHOUT ROWID;
CREATE INDEX state_expires ON state(expires) WHERE expires > 0;
`,
];

/** The file is of a later version than this one knows. */
export class NewerFile extends Error {}

/** Brings the file to the newest version, at once or not at all. Throws NewerFile, or node:sqlite's error. */
export function migrate(db: DatabaseSync): void {
  const version = Number(Object.values(db.prepare("PRAGMA user_version").get() ?? {})[0] ?? 0);
  if (version > steps.length) throw new NewerFile(`it is of version ${version}, this hub knows ${steps.length}`);
  if (version === steps.length) return;
  db.exec(`BEGIN IMMEDIATE; ${steps.slice(version).join("")} PRAGMA user_version=${steps.length}; COMMIT`);
}
