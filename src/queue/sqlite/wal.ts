/**
 * Reads a write-ahead log without SQLite. SQLite stops at the first frame whose checksum does not fit and forgets
 * everything behind it, also what it had acknowledged; here the frames behind a damaged one are still found.
 */

import { closeSync, openSync, readSync, statSync } from "node:fs";

/** What the store creates its files with. */
export const pageSize = 8192;

export interface Frame {
  readonly page: number;
  /** The last frame of a transaction. */
  readonly commit: boolean;
  /** Where the page's bytes begin in the log. */
  readonly offset: number;
  /** The checksum fits. */
  readonly good: boolean;
}

export interface Wal {
  readonly bytes: number;
  readonly frames: readonly Frame[];
  /** The header is what SQLite wrote; with any other it ignores the log as a whole. */
  readonly sound: boolean;
}

const headerBytes = 32;
const frameHeader = 24;
const frameBytes = frameHeader + pageSize;

/** Bytes of a file, 0 when there is none. */
export const fileSize = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The frames of the log's present generation, one at a time in memory. Throws only what the disk itself refuses. */
export function readWal(path: string): Wal | undefined {
  const bytes = fileSize(path);
  if (bytes < headerBytes) return undefined;
  const fd = openSync(path, "r");
  try {
    return indexFrames(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

function indexFrames(fd: number, bytes: number): Wal {
  const header = Buffer.alloc(headerBytes);
  readSync(fd, header, 0, headerBytes, 0);
  const magic = header.readUInt32BE(0);
  const known = (magic & 0xfffffffe) === 0x377f0682;
  const sum = checksum(!known || (magic & 1) === 0);
  sum.add(header, 0, 24);
  const sound = known && sum.fits(header, 24) && header.readUInt32BE(8) === pageSize;
  const salts = sound ? header.toString("latin1", 16, 24) : commonSalts(fd, bytes);
  const frames: Frame[] = [];
  const frame = Buffer.alloc(frameBytes);
  for (let at = headerBytes; at + frameBytes <= bytes; at += frameBytes) {
    readSync(fd, frame, 0, frameBytes, at);
    // Frames of an earlier generation of the log carry other salts: they are over. So does a damaged header.
    const ours = frame.toString("latin1", 8, 16) === salts;
    sum.add(frame, 0, 8);
    sum.add(frame, frameHeader, pageSize);
    const good = ours && sum.fits(frame, 16);
    sum.set(frame, 16);
    const page = ours ? frame.readUInt32BE(0) : 0;
    frames.push({ page, commit: ours && frame.readUInt32BE(4) > 0, offset: at + frameHeader, good });
  }
  const last = frames.findLastIndex((f) => f.page > 0);
  const used = frames.slice(0, last + 1);
  return { bytes, frames: sound || used.some((f) => f.good) ? used : [], sound };
}

/** Without a header: what most of the first frames say. */
function commonSalts(fd: number, bytes: number): string {
  const seen = new Map<string, number>();
  const salts = Buffer.alloc(8);
  for (let n = 0; n < 8 && headerBytes + (n + 1) * frameBytes <= bytes; n++) {
    readSync(fd, salts, 0, 8, headerBytes + n * frameBytes + 8);
    const text = salts.toString("latin1");
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  return [...seen].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

/** The running checksum of a log: each frame continues the one before. */
function checksum(little: boolean) {
  let [a, b] = [0, 0];
  return {
    add: (bytes: Buffer, from: number, length: number) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let i = from; i < from + length; i += 8) {
        a = (a + view.getUint32(i, little) + b) >>> 0;
        b = (b + view.getUint32(i + 4, little) + a) >>> 0;
      }
    },
    fits: (bytes: Buffer, at: number) => a === bytes.readUInt32BE(at) && b === bytes.readUInt32BE(at + 4),
    set: (bytes: Buffer, at: number) => {
      a = bytes.readUInt32BE(at);
      b = bytes.readUInt32BE(at + 4);
    },
  };
}

/**
 * True when SQLite would drop acknowledged frames without a word: they stand behind a damaged one, the log's header is
 * damaged, or the database file is empty.
 */
export function walHidesFrames(dbPath: string, walPath: string): boolean {
  const wal = readWal(walPath);
  if (!wal) return false;
  const { frames, sound, bytes } = wal;
  if (!sound) return bytes > headerBytes + frameHeader;
  if (fileSize(dbPath) === 0) return frames.some((f) => f.good);
  const bad = frames.findIndex((f) => !f.good);
  return bad >= 0 && frames.slice(bad + 1).some((f) => f.commit && f.good);
}
