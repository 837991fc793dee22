/** The pages of a queue file that is not open in SQLite, its log applied, one at a time: memory does not follow size. */

import { closeSync, openSync, readSync } from "node:fs";
import { type Frame, fileSize, pageSize, readWal } from "./wal.ts";

export interface Pages {
  /** Pages of the file with its log, numbered from 1. */
  readonly count: number;
  /**
   * Numbers behind `count`: versions of pages that stand in damaged or unfinished frames of the log. What is readable
   * in them may be all that is left, or may be out of date.
   */
  readonly doubtful: number;
  /**
   * The page's newest sound version, zeros where the disk gives none; read into `into`, if that is given. Throws while the
   * disk gives nothing at all.
   */
  read(page: number, into?: Buffer): Buffer;
  close(): void;
}

/** Larger page numbers in a log are damage. */
const mostPages = 1 << 26;

/** Opens `path` and `path-wal`; either may be missing. */
export function openPages(path: string): Pages {
  const size = fileSize(path);
  const [db, log] = [open(path), open(`${path}-wal`)];
  const newest = new Map<number, number>();
  const doubtful: Frame[] = [];
  const frames = readWal(`${path}-wal`)?.frames ?? [];
  const committed = frames.findLastIndex((f) => f.commit);
  for (const [i, frame] of frames.entries()) {
    if (frame.page === 0 || frame.page > mostPages) continue;
    if (frame.good && i <= committed) newest.set(frame.page, frame.offset);
    else doubtful.push(frame);
  }
  // What a later sound frame replaces is over.
  const open_ = doubtful.filter((f) => (newest.get(f.page) ?? 0) < f.offset);
  const count = [...newest.keys()].reduce((most, page) => Math.max(most, page), Math.floor(size / pageSize));
  return {
    count,
    doubtful: open_.length,
    read: (page, into) => {
      const bytes = into?.fill(0) ?? Buffer.alloc(pageSize);
      const offset = page > count ? open_[page - count - 1]?.offset : newest.get(page);
      const [fd, at] = offset === undefined ? [db, (page - 1) * pageSize] : [log, offset];
      try {
        if (fd !== undefined) readSync(fd, bytes, 0, pageSize, at);
      } catch (error) {
        // One sector that cannot be read is a damaged page; a disk that gives nothing will be asked again.
        if (!diskAnswers(path)) throw error;
        bytes.fill(0);
      }
      return bytes;
    },
    close: () => {
      for (const fd of [db, log]) if (fd !== undefined) closeSync(fd);
    },
  };
}

/** False: not even a few places here and there can be read. SQLite calls that a malformed file. */
export function diskAnswers(path: string): boolean {
  const bytes = Buffer.alloc(512);
  for (const name of [path, `${path}-wal`]) {
    const [fd, size] = [open(name), fileSize(name)];
    if (fd === undefined || size === 0) continue;
    try {
      const places = [0, 0.37, 0.71, 1].map((share) => Math.floor(((size - 1) * share) / 512) * 512);
      const read = places.filter((at) => {
        try {
          return readSync(fd, bytes, 0, 512, at) > 0;
        } catch {
          return false;
        }
      });
      if (read.length < 2) return false;
    } finally {
      closeSync(fd);
    }
  }
  return true;
}

function open(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
