import type { FileHandle } from "node:fs/promises";
import type { LineIntake } from "../../src/audit/line-intake.ts";
import { createLineCutter } from "../../src/audit/lines.ts";
import { bytesBefore, type Mark, printBytes, printsOf } from "./mark.ts";

/** Reads one open file in steps, as far as it goes, and again when it has grown. */
export interface FileReader {
  /** The next piece: bytes taken, 0 at the end. `cut`: what was read is not there any more, the file began anew. */
  read(): Promise<number | "cut">;
  /** Stores what was read; resolves with how far that is. */
  mark(): Promise<Mark>;
  /** Takes the last line, which no newline ends; with `ifWhole` only when it is an event as it stands. */
  end(ifWhole?: (line: Buffer) => boolean): Promise<void>;
  readonly inode: number;
  close(): Promise<void>;
}

export const chunkBytes = 256 * 1024;

/** A writer that does not append leaves zeros where the file was cut: they belong to no line. */
const withoutHole = (bytes: Buffer): Buffer => {
  if (bytes[0] !== 0) return bytes;
  const end = bytes.findIndex((byte) => byte !== 0);
  return end < 0 ? bytes.subarray(bytes.length) : bytes.subarray(end);
};

/** Takes the file over. `from`: where an earlier reader of the same file was. */
export const openFileReader = async (
  file: FileHandle,
  from: Pick<Mark, "offset" | "line">,
  intake: LineIntake,
  maxLine: number,
): Promise<FileReader> => {
  const cutter = createLineCutter(maxLine);
  const buffer = Buffer.alloc(printBytes + chunkBytes);
  const { ino: inode } = await file.stat();
  let { offset: at, line } = from;
  /** The file's first bytes and those read last: whoever cuts a file and writes on changes them. */
  let head = await bytesBefore(file, Math.min(at, printBytes));
  let tail = await bytesBefore(file, at);
  intake.restart(line);

  const headHolds = async (): Promise<boolean> => (await bytesBefore(file, head.length)).equals(head);

  return {
    inode,
    read: async () => {
      const known = tail.length;
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at - known);
      if (bytesRead < known || !buffer.subarray(0, known).equals(tail) || !(await headHolds())) return "cut";
      const fresh = buffer.subarray(known, bytesRead);
      if (fresh.length === 0) return 0;
      at += fresh.length;
      if (head.length < printBytes) head = Buffer.concat([head, fresh]).subarray(0, printBytes);
      tail = Buffer.from(buffer.subarray(Math.max(0, bytesRead - printBytes), bytesRead));
      for (const text of cutter.push(cutter.pending === 0 ? withoutHole(fresh) : fresh)) {
        line++;
        await intake.line(text);
      }
      return fresh.length;
    },
    mark: async () => {
      await intake.flush();
      const { mtimeMs: modifiedMs } = await file.stat();
      return { inode, offset: at - cutter.pending, line, seen: at, modifiedMs, prints: printsOf(head, tail) };
    },
    end: async (ifWhole = () => true) => {
      const last = cutter.end(ifWhole);
      if (!last) return;
      line++;
      await intake.line(last);
    },
    close: () => file.close(),
  };
};
