import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import type { SourceHost } from "../../src/sdk/source.ts";
import type { FileSettings } from "./file.ts";
import { createLineIntake } from "./intake.ts";
import { createLineCutter } from "./lines.ts";

interface Mark {
  /** Of the file, so that a replaced one is read from its start. */
  readonly inode: number;
  /** Bytes whose lines are stored. */
  readonly offset: number;
  /** Number of the line that begins there. */
  readonly line: number;
}

type FollowHost = Pick<SourceHost, "push" | "drop" | "log" | "checkpoint">;

const chunkBytes = 256 * 1024;

/**
 * Follows a file by name until the signal: what is appended, from the start when it was cut or replaced (the old one is
 * read to its end first). A line counts when its newline is there. The checkpoint moves behind stored lines only.
 * `positioned` is called when what is written from now on will be read.
 */
export const createFollower = async (
  settings: FileSettings,
  host: FollowHost,
  signal: AbortSignal,
  positioned: () => void,
): Promise<void> => {
  const key = `file:${settings.path}`;
  let mark = readMark(await host.checkpoint.get(key));
  let fromEnd = settings.fromEnd && mark === undefined;
  let missing = false;
  while (!signal.aborted) {
    const file = await open(settings.path).catch(() => undefined);
    if (!file) {
      if (!missing) host.log.warn({ file: settings.path }, "the file to follow is not there: waiting");
      missing = true;
      positioned();
      // What appears later is new from its first byte.
      fromEnd = false;
      await wait(settings.pollMs, undefined, { signal }).catch(() => {});
      continue;
    }
    missing = false;
    try {
      const start = await startOf(file, mark, fromEnd);
      positioned();
      await followOne(file, start, settings, host, signal, key);
    } finally {
      await file.close();
    }
    mark = undefined;
    fromEnd = false;
  }
};

const startOf = async (file: FileHandle, mark: Mark | undefined, fromEnd: boolean): Promise<Mark> => {
  const { ino: inode, size } = await file.stat();
  if (mark && mark.inode === inode && mark.offset <= size) return mark;
  return { inode, offset: fromEnd ? size : 0, line: 1 };
};

/** Resolves when the file was cut, replaced and read to its end, or the signal came. */
const followOne = async (
  file: FileHandle,
  start: Mark,
  settings: FileSettings,
  host: FollowHost,
  signal: AbortSignal,
  key: string,
): Promise<void> => {
  const intake = createLineIntake(host, settings, settings.path, signal);
  const cutter = createLineCutter();
  const buffer = Buffer.alloc(chunkBytes);
  let { offset: at, line } = start;
  let saved = start.offset;
  intake.restart(line);

  const save = async (): Promise<void> => {
    await intake.flush();
    const offset = at - cutter.pending;
    if (offset === saved) return;
    await host.checkpoint.set(key, JSON.stringify({ inode: start.inode, offset, line } satisfies Mark));
    saved = offset;
  };

  while (!signal.aborted) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    at += bytesRead;
    for (const text of cutter.push(buffer.subarray(0, bytesRead))) {
      line++;
      await intake.line(text);
    }
    if (bytesRead > 0) {
      if (at - saved > 16 * chunkBytes) await save();
      continue;
    }
    await save();
    const change = await changed(file, settings.path, start.inode, at);
    if (change === "cut") return;
    if (change === "replaced") {
      // What was written between the last read and the replacement.
      if ((await file.stat()).size > at) continue;
      const last = cutter.end();
      if (last) await intake.line(last);
      return intake.flush();
    }
    await wait(settings.pollMs, undefined, { signal }).catch(() => {});
  }
};

const changed = async (
  file: FileHandle,
  path: string,
  inode: number,
  at: number,
): Promise<"cut" | "replaced" | undefined> => {
  if ((await file.stat()).size < at) return "cut";
  const named = await stat(path).catch(() => undefined);
  return named !== undefined && named.ino !== inode ? "replaced" : undefined;
};

const readMark = (text: string | undefined): Mark | undefined => {
  try {
    const value = JSON.parse(text ?? "") as Partial<Mark>;
    const { inode, offset, line } = value;
    if (typeof inode !== "number" || typeof offset !== "number" || typeof line !== "number") return undefined;
    return { inode, offset, line };
  } catch {
    return undefined;
  }
};
