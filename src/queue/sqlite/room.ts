/**
 * Room on the queue's volume. Pushes are refused while there is still enough to settle what is stored, and a reserve file
 * is given up first when others fill the volume: so what is delivered can always be written down, and the queue drains.
 */

import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import type { Store } from "./store.ts";
import { fileSize } from "./wal.ts";

/** What is to be stored: pushes, or what is read back from a damaged file, beside items to deliver or without any. */
export type Origin = "push" | "rescue" | "rescue alone";

export interface Room {
  /** Whether so many more bytes have room; what is read back may take nearly all there is. */
  fits(bytes: number, from: Origin): boolean;
  /** The same, and they are about to be stored. */
  allows(bytes: number, from: Origin): boolean;
  /** Room was made: it is looked at again. */
  again(): void;
  /** The volume is full in spite of all: gives the reserve up. False: it is gone already. */
  giveUp(): boolean;
  /**
   * Gives what a drained file no longer needs back to a tight volume, and sets the reserve aside again once there is room
   * for it. Throws what the disk refuses.
   */
  restore(): void;
}

const [least, most] = [64 * 1024, 16 * 1024 * 1024];
/** The size moves slowly compared with pushes: a few reads a second are enough. */
const measureMs = 50;
/** Files of at most this content are made smaller while the queue works. */
const slimBytes = 4 * 1024 * 1024;
/** What a transaction writes besides the bodies: pages of items, of their indexes. */
const transactionBytes = 64 * 1024;

/** What a volume of this directory's size spares for the reserve. */
export function reserveBytes(dir: string): number {
  try {
    const { blocks, bsize } = statfsSync(dir);
    return Math.min(most, Math.max(least, Math.floor((blocks * bsize) / 32)));
  } catch {
    return least;
  }
}

export function removeReserve(path: string): boolean {
  const there = fileSize(`${path}-reserve`) > 0;
  rmSync(`${path}-reserve`, { force: true });
  return there;
}

/** `store` is asked for at every measurement; `maxBytes` bounds its content. */
export function createRoom(path: string, store: () => Store, clock: () => number, maxBytes: number): Room {
  const dir = path.slice(0, path.lastIndexOf("/"));
  const size = reserveBytes(dir);
  let facts = { used: 0, inside: 0, free: Number.POSITIVE_INFINITY, log: 0, file: 0 };
  let measuredAt = Number.NEGATIVE_INFINITY;
  /** Bytes that were allowed since. */
  let allowed = 0;
  let kept = false;

  const measure = () => {
    if (clock() - measuredAt <= measureMs) return facts;
    measuredAt = clock();
    allowed = 0;
    try {
      const { bavail, bsize } = statfsSync(dir);
      facts = { ...store().pages(), free: bavail * bsize, log: fileSize(`${path}-wal`), file: fileSize(path) };
      // What stands in the log alone still has to find room in the file: while there is some.
      if (facts.free < 4 * size + facts.log) store().fold();
    } catch {
      // The last figures stand: a write tells what is wrong.
    }
    return facts;
  };

  const restore = () => {
    const free = () => {
      const { bavail, bsize } = statfsSync(dir);
      return bavail * bsize;
    };
    const { used, inside } = store().pages();
    // Copying what is in use is quick, and it goes through the log.
    if (inside > Math.max(used, size) && used < slimBytes && free() < 4 * size)
      store().db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    if (kept || free() < 2 * size) return;
    try {
      const fd = openSync(`${path}-reserve`, "w", 0o600);
      try {
        // Not sparse: its blocks are to be had.
        for (let at = 0; at < size; ) at += writeSync(fd, Buffer.alloc(Math.min(size - at, 1 << 20), 1), 0);
        kept = true;
      } finally {
        closeSync(fd);
      }
    } catch {
      rmSync(`${path}-reserve`, { force: true });
    }
  };

  /** What is left free for settlements, which go through the log; without the reserve its place is left alone. */
  const spareFor = (from: Origin): number => {
    if (from === "rescue alone") return 2 * transactionBytes;
    return transactionBytes + (from === "rescue" ? size / 4 : size) + (kept ? 0 : size);
  };

  const fits = (bytes: number, from: Origin): boolean => {
    const { used, inside, free, log, file } = measure();
    // What was taken under a larger limit comes back all the same, in the end.
    if (from !== "rescue alone" && used + allowed + bytes > maxBytes) return false;
    // Rows take somewhat more than their text.
    const need = (allowed + bytes) * 1.3;
    // Pages that stand in the log alone: without room for them in the file the log could never be used again.
    const unfolded = Math.max(0, used + inside - file);
    // What is stored is written to the log first and to the file later; both have places that are used again.
    if (free >= Math.max(0, need + spareFor(from) - log) + Math.max(0, need - inside) + unfolded) return true;
    // What was allowed since the last look may have found its place.
    if (allowed === 0) return false;
    measuredAt = Number.NEGATIVE_INFINITY;
    return fits(bytes, from);
  };

  return {
    fits,
    allows: (bytes, from) => {
      if (!fits(bytes, from)) return false;
      allowed += bytes;
      return true;
    },
    again: () => {
      measuredAt = Number.NEGATIVE_INFINITY;
    },
    giveUp: () => {
      kept = false;
      measuredAt = Number.NEGATIVE_INFINITY;
      return removeReserve(path);
    },
    restore,
  };
}
