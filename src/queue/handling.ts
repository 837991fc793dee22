/**
 * Which items the process is handling in its own code right now, in a small file that outlives it: what the file names
 * when a process has died was being decoded, judged or mapped. Items that wait for a destination are not in it, so a kill
 * from outside hits none but by chance.
 */

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Named } from "./queue.ts";

export interface Handling {
  /** What the process before this one was handling when it died. */
  readonly found: readonly Named[];
  /** Runs synchronous work on items; those of an inner call take the place of the outer ones while it runs. */
  during<T>(items: readonly Named[], work: () => T): T;
  /** What was found has been counted: a death before anything is handled does not count it again. */
  counted(): void;
  /** An orderly end: nothing was being handled. */
  close(): void;
}

/** Deaths of processes, each while handling the item and nothing else, after which the item is put aside. */
export const deathsOfPoison = 5;
/** Why of the dead letters that no handler gave up; what stands before the colon is the reason in metrics. */
export const poisonReason = `poison: ${deathsOfPoison} processes died while they handled it`;
export const corruptReason = "corrupt: the stored chunk was unreadable";
export const reasonOf = (why: string): string => why.slice(0, why.indexOf(":"));

/** Length and checksum stand before the names. */
const headBytes = 8;
/** Items beyond this are not named. */
const mostBytes = 32 * 1024;

/** Marks nothing. */
export const noHandling: Handling = { found: [], during: (_, work) => work(), counted: () => {}, close: () => {} };

/** Never throws: on a disk that cannot be written nothing is marked. */
export function openHandling(path: string): Handling {
  const found = read(path);
  const buffer = Buffer.alloc(headBytes + mostBytes);
  let fd: number | undefined;
  try {
    fd = openSync(path, "r+");
  } catch {
    fd = create(path);
  }
  /** What is being handled, and what the file says. */
  let current: readonly Named[] = [];
  let said: readonly Named[] | undefined;
  let clearing = false;

  const say = (items: readonly Named[]) => {
    if (fd === undefined || sameItems(items, said)) return;
    said = items;
    let length = 0;
    for (const { lane, id } of items) {
      const line = `${JSON.stringify([lane, id])}\n`;
      if (length + line.length * 3 > mostBytes) break;
      length += buffer.write(line, headBytes + length);
    }
    buffer.writeUInt32LE(length, 0);
    buffer.writeUInt32LE(crc32(buffer.subarray(headBytes, headBytes + length)), 4);
    try {
      writeSync(fd, buffer, 0, headBytes + length, 0);
    } catch {
      // Better no mark than no work.
    }
  };
  const clear = () => {
    clearing = false;
    say([]);
  };

  return {
    found,
    during: (items, work) => {
      const outer = current;
      current = items;
      say(items);
      try {
        return work();
      } finally {
        current = outer;
        // One write clears the marks of a whole turn of the event loop.
        if (outer.length > 0) say(outer);
        else if (!clearing) {
          clearing = true;
          setImmediate(clear);
        }
      }
    },
    counted: () => {
      if (current.length === 0) say([]);
    },
    close: () => {
      say([]);
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

const sameItems = (a: readonly Named[], b: readonly Named[] | undefined): boolean =>
  a === b || (a.length === b?.length && a.every((item, i) => item.id === b[i]?.id && item.lane === b[i]?.lane));

function create(path: string): number | undefined {
  try {
    return openSync(path, "w+", 0o600);
  } catch {
    return undefined;
  }
}

function read(path: string): Named[] {
  try {
    const bytes = readFileSync(path);
    const names = bytes.subarray(headBytes, headBytes + bytes.readUInt32LE(0));
    if (crc32(names) !== bytes.readUInt32LE(4)) return [];
    return names
      .toString()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [lane, id] = JSON.parse(line) as [string, string];
        return { lane, id };
      });
  } catch {
    return [];
  }
}
