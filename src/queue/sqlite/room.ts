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

const [least, most] = [64 * 1024, 4 * 1024 * 1024];
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
export const createRoom = (path: string, store: () => Store, clock: () => number, maxBytes: number): Room =>
  new VolumeRoom(path, store, clock, maxBytes);

class VolumeRoom implements Room {
  readonly #path: string;
  readonly #dir: string;
  readonly #store: () => Store;
  readonly #clock: () => number;
  readonly #maxBytes: number;
  /** The reserve's, bytes. */
  readonly #size: number;
  #facts = { used: 0, inside: 0, free: Number.POSITIVE_INFINITY, log: 0, file: 0 };
  #measuredAt = Number.NEGATIVE_INFINITY;
  /** Bytes that were allowed since. */
  #allowed = 0;
  /** The reserve is set aside. */
  #kept = false;

  constructor(path: string, store: () => Store, clock: () => number, maxBytes: number) {
    this.#path = path;
    this.#dir = path.slice(0, path.lastIndexOf("/"));
    this.#store = store;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#size = reserveBytes(this.#dir);
  }

  fits(bytes: number, from: Origin): boolean {
    const { used, inside, free, log, file } = this.#measure();
    // What was taken under a larger limit comes back all the same, in the end.
    if (from !== "rescue alone" && used + this.#allowed + bytes > this.#maxBytes) return false;
    // Rows take somewhat more than their text.
    const need = (this.#allowed + bytes) * 1.3;
    // Pages that stand in the log alone: without room for them in the file the log could never be used again.
    const unfolded = Math.max(0, used + inside - file);
    // What is stored is written to the log first and to the file later; both have places that are used again.
    if (free >= Math.max(0, need + this.#spareFor(from) - log) + Math.max(0, need - inside) + unfolded) return true;
    // What was allowed since the last look may have found its place.
    if (this.#allowed === 0) return false;
    this.again();
    return this.fits(bytes, from);
  }

  allows(bytes: number, from: Origin): boolean {
    if (!this.fits(bytes, from)) return false;
    this.#allowed += bytes;
    return true;
  }

  again(): void {
    this.#measuredAt = Number.NEGATIVE_INFINITY;
  }

  giveUp(): boolean {
    this.#kept = false;
    this.again();
    return removeReserve(this.#path);
  }

  restore(): void {
    const size = this.#size;
    const { used, inside } = this.#store().pages();
    // Copying what is in use is quick, and it goes through the log.
    if (inside > Math.max(used, size) && used < slimBytes && this.#free() < 4 * size)
      this.#store().db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    if (this.#kept || this.#free() < 2 * size) return;
    try {
      const fd = openSync(`${this.#path}-reserve`, "w", 0o600);
      try {
        // Not sparse: its blocks are to be had.
        for (let at = 0; at < size; ) at += writeSync(fd, Buffer.alloc(Math.min(size - at, 1 << 20), 1), 0);
        this.#kept = true;
      } finally {
        closeSync(fd);
      }
    } catch {
      rmSync(`${this.#path}-reserve`, { force: true });
    }
  }

  #measure() {
    if (this.#clock() - this.#measuredAt <= measureMs) return this.#facts;
    this.#measuredAt = this.#clock();
    this.#allowed = 0;
    try {
      const pages = this.#store().pages();
      const [log, file] = [fileSize(`${this.#path}-wal`), fileSize(this.#path)];
      this.#facts = { ...pages, free: this.#free(), log, file };
      // What stands in the log alone still has to find room in the file: while there is some.
      if (this.#facts.free < 4 * this.#size + log) this.#store().fold();
    } catch {
      // The last figures stand: a write tells what is wrong.
    }
    return this.#facts;
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.#dir);
    return bavail * bsize;
  }

  /** What is left free for settlements, which go through the log; without the reserve its place is left alone. */
  #spareFor(from: Origin): number {
    if (from === "rescue alone") return 2 * transactionBytes;
    return transactionBytes + (from === "rescue" ? this.#size / 4 : this.#size) + (this.#kept ? 0 : this.#size);
  }
}
