/**
 * Reads a write-ahead log without SQLite. SQLite stops at the first frame whose checksum does not fit and forgets
 * everything behind it, also what it had acknowledged; here the frames behind a damaged one are still used.
 */

import { readFileSync, statSync } from "node:fs";

interface Frame {
  readonly page: number;
  readonly commit: boolean;
  readonly offset: number;
  readonly good: boolean;
}

interface Wal {
  readonly bytes: Buffer;
  readonly pageSize: number;
  readonly frames: readonly Frame[];
  /** The header is what SQLite wrote; with any other it ignores the log as a whole. */
  readonly sound: boolean;
}

const firstFrame = 32;
const frameHeader = 24;
/** What the store creates its files with. */
const ownPageSize = 8192;

function readWal(path: string): Wal | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  if (bytes.length < firstFrame) return undefined;
  const magic = bytes.readUInt32BE(0);
  const little = (magic & 0xfffffffe) !== 0x377f0682 || (magic & 1) === 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [a, b] = [0, 0];
  const sum = (from: number, length: number) => {
    for (let i = from; i < from + length; i += 8) {
      a = (a + view.getUint32(i, little) + b) >>> 0;
      b = (b + view.getUint32(i + 4, little) + a) >>> 0;
    }
  };
  sum(0, 24);
  const sound = (magic & 0xfffffffe) === 0x377f0682 && a === bytes.readUInt32BE(24) && b === bytes.readUInt32BE(28);
  const pageSize = sound ? bytes.readUInt32BE(8) : ownPageSize;
  // The first frame is always of the current generation.
  const salts = sound ? 16 : firstFrame + 8;
  if (bytes.length < salts + 8) return undefined;
  const frames: Frame[] = [];
  for (let at = firstFrame; at + frameHeader + pageSize <= bytes.length; at += frameHeader + pageSize) {
    // Frames of an earlier generation of the log carry other salts: they are over.
    if (bytes.compare(bytes, salts, salts + 8, at + 8, at + 16) !== 0) break;
    sum(at, 8);
    sum(at + frameHeader, pageSize);
    const good = a === bytes.readUInt32BE(at + 16) && b === bytes.readUInt32BE(at + 20);
    [a, b] = [bytes.readUInt32BE(at + 16), bytes.readUInt32BE(at + 20)];
    frames.push({
      page: bytes.readUInt32BE(at),
      commit: bytes.readUInt32BE(at + 4) > 0,
      offset: at + frameHeader,
      good,
    });
  }
  return { bytes, pageSize, frames: sound || frames.some((f) => f.good) ? frames : [], sound };
}

/**
 * True when SQLite would drop acknowledged frames without a word: they stand behind a damaged one, the log's header is
 * damaged, or the database file is empty.
 */
export function walHidesFrames(dbPath: string, walPath: string): boolean {
  const wal = readWal(walPath);
  if (!wal) return false;
  const { frames, sound, bytes } = wal;
  if (!sound) return bytes.length > firstFrame + frameHeader;
  if (fileSize(dbPath) === 0) return frames.some((f) => f.good);
  const bad = frames.findIndex((f) => !f.good);
  return bad >= 0 && frames.slice(bad + 1).some((f) => f.commit && f.good);
}

/** Bytes of a file, 0 when there is none. */
export const fileSize = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The database file as it would be with every frame of the log applied, damaged ones too, in rollback-journal mode. */
export function imageWithWal(dbPath: string, walPath: string): Buffer {
  let db: Buffer;
  try {
    db = readFileSync(dbPath);
  } catch {
    db = Buffer.alloc(0);
  }
  const wal = readWal(walPath);
  if (wal) {
    const last = wal.frames.findLastIndex((f) => f.commit);
    const used = wal.frames.slice(0, last + 1).filter((f) => f.page > 0 && f.page < 1 << 24);
    const size = Math.max(db.length, ...used.map((f) => f.page * wal.pageSize));
    if (size > db.length) db = Buffer.concat([db, Buffer.alloc(size - db.length)]);
    for (const f of used) wal.bytes.copy(db, (f.page - 1) * wal.pageSize, f.offset, f.offset + wal.pageSize);
  }
  if (db.length > 20) db[18] = db[19] = 1;
  return db;
}
