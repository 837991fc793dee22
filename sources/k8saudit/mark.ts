import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { unzipped } from "../../src/audit/unzip.ts";

/** How far a file was read, and how it is known again: its name passes to others, and so does its inode. */
export interface Mark {
  readonly inode: number;
  /** Bytes, decompressed, whose lines are stored. */
  readonly offset: number;
  /** Number of the line that begins there. */
  readonly line: number;
  /** Bytes that were read; those behind `offset` begin a line that had no end yet. */
  readonly seen: number;
  /** When the file was last written to, milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Hashes of the file's first bytes and of the last ones before `seen`; marks of older versions have none. */
  readonly prints?: Prints;
}

export interface Prints {
  readonly head: string;
  readonly tail: string;
}

/** Bytes of each end of what was read that a file must still have to be the same. */
export const printBytes = 1024;

export const printOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("base64");
export const printsOf = (head: Buffer, tail: Buffer): Prints => ({ head: printOf(head), tail: printOf(tail) });

/** The bytes before `at`, at most `printBytes`; fewer when the file is shorter. */
export const bytesBefore = async (file: FileHandle, at: number): Promise<Buffer> => {
  const length = Math.min(at, printBytes);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at - length);
  return buffer.subarray(0, bytesRead);
};

/** True when the open file is the one that the mark was made in, whatever it is called now. */
export const isMarked = async (file: FileHandle, mark: Mark): Promise<boolean> => {
  const { ino, size } = await file.stat();
  if (size < mark.seen) return false;
  if (mark.seen === 0 || mark.prints === undefined) return ino === mark.inode;
  if (printOf(await bytesBefore(file, Math.min(mark.seen, printBytes))) !== mark.prints.head) return false;
  return printOf(await bytesBefore(file, mark.seen)) === mark.prints.tail;
};

/** As `isMarked`, of a compressed file: reads it up to the mark. False also when it is broken before that. */
export const isMarkedInside = async (path: string, mark: Mark): Promise<boolean> => {
  if (mark.seen === 0 || mark.prints === undefined) return false;
  const ends = createEnds();
  try {
    for await (const chunk of unzipped(createReadStream(path))) {
      ends.add(chunk.subarray(0, mark.seen - ends.seen()));
      const { head, tail } = ends.bytes();
      if (head.length === Math.min(mark.seen, printBytes) && printOf(head) !== mark.prints.head) return false;
      if (ends.seen() === mark.seen) return printOf(tail) === mark.prints.tail;
    }
  } catch {
    // Still being written, or no gzip: not the file that is looked for.
  }
  return false;
};

/** The two ends of what passes by. */
export const createEnds = () => {
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  let seen = 0;
  return {
    add: (bytes: Buffer): void => {
      seen += bytes.length;
      if (head.length < printBytes) head = Buffer.concat([head, bytes]).subarray(0, printBytes);
      tail = Buffer.concat([tail, bytes.subarray(-printBytes)]).subarray(-printBytes);
    },
    seen: () => seen,
    bytes: () => ({ head, tail }),
  };
};

/** Marks as a checkpoint holds them, the file that was read last at the end; undefined: it cannot be read. */
export const readMarks = (text: string): readonly Mark[] | undefined => {
  try {
    const value = JSON.parse(text) as { readonly files?: unknown };
    // One file alone is what older versions wrote.
    const marks = (Array.isArray(value.files) ? value.files : [value]).map(toMark);
    return marks.every((mark) => mark !== undefined) ? marks : undefined;
  } catch {
    return undefined;
  }
};

const toMark = (value: Partial<Mark> | null): Mark | undefined => {
  const { inode, offset, line, seen = offset, modifiedMs = Number.MAX_SAFE_INTEGER, prints } = value ?? {};
  if ([inode, offset, line, seen, modifiedMs].some((n) => typeof n !== "number")) return undefined;
  const mark = { inode, offset, line, seen, modifiedMs } as Mark;
  return typeof prints?.head === "string" && typeof prints.tail === "string" ? { ...mark, prints } : mark;
};

export const writeMarks = (files: readonly Mark[]): string => JSON.stringify({ files });
