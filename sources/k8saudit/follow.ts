import { type FileHandle, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { createLineIntake, maxLineBytes } from "../../src/audit/line-intake.ts";
import { type PayloadLimits, splitPayload } from "../../src/audit/payload.ts";
import type { SourceHost } from "../../src/sdk/source.ts";
import { chunkBytes, type FileReader, openFileReader } from "./file-reader.ts";
import { type LateLines, watchLateLines } from "./late-lines.ts";
import { type Located, locate, type Remainder } from "./locate.ts";
import { type Mark, readMarks, writeMarks } from "./mark.ts";
import { readCompressed } from "./read-compressed.ts";
import { listRotated, openFound, Rotating, rotationState } from "./rotated.ts";

export interface FollowSettings extends PayloadLimits {
  readonly path: string;
  /** Begin at the end of the file, where no checkpoint says better. */
  readonly fromEnd: boolean;
  /** Between two looks at a file that has not grown. */
  readonly pollMs: number;
}

export type FollowHost = Pick<SourceHost, "push" | "drop" | "gap" | "log" | "checkpoint">;

/** Files read before the current one that are known again. */
const marksKept = 4;
const longestPauseMs = 30_000;
/** Read between two checkpoints where there is much to read. */
const savedBytes = 16 * chunkBytes;

/**
 * Follows a file by its name until the signal: what is appended; after a rotation the old file to its end, those that
 * came and went meanwhile, then the new one. A line counts when its newline is there. The checkpoint moves behind stored
 * lines only. What cannot be found any more is a gap and said; a fault is said and tried again. `positioned` is called
 * when what is written from now on will be read.
 */
export const createFollower = async (
  settings: FollowSettings,
  host: FollowHost,
  signal: AbortSignal,
  positioned: () => void,
): Promise<void> => {
  const follow = createFollowing(settings, host, signal, positioned);
  for (let ms = settings.pollMs; !signal.aborted; ms = Math.min(2 * ms, longestPauseMs)) {
    try {
      await follow();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Rotating) {
        ms = settings.pollMs / 2;
        await pause(settings.pollMs, signal);
        continue;
      }
      const { code, message } = error as NodeJS.ErrnoException;
      host.log.error({ file: settings.path, code }, `the file cannot be followed now, trying again: ${message}`);
      positioned();
      await pause(ms, signal);
    }
  }
};

const pause = (ms: number, signal: AbortSignal): Promise<void> => wait(ms, undefined, { signal }).catch(() => {});

const createFollowing = (
  settings: FollowSettings,
  host: FollowHost,
  signal: AbortSignal,
  positioned: () => void,
): (() => Promise<void>) => {
  const { path, pollMs } = settings;
  const key = `file:${path}`;
  const maxLine = maxLineBytes(settings);
  const intakeOf = (file: string) => createLineIntake(host, settings, file, signal);

  /** Files read before the current one, that of the late lines left out. */
  let done: readonly Mark[] = [];
  let late: LateLines | undefined;
  let { fromEnd } = settings;
  /** How far lines are stored, and what the checkpoint says. */
  let reached = "";
  let saved: string | undefined;

  const save = async (current: readonly Mark[]): Promise<void> => {
    reached = writeMarks([...done, ...(late ? [late.mark] : []), ...current]);
    if (reached === saved) return;
    await host.checkpoint.set(key, reached);
    saved = reached;
  };

  const load = async (): Promise<readonly Mark[]> => {
    const text = reached || (await host.checkpoint.get(key));
    if (!text) return [];
    fromEnd = false;
    const marks = readMarks(text);
    if (!marks) gap("its checkpoint cannot be read");
    return marks ?? [];
  };

  const gap = (what: string, file = path): void => {
    host.gap?.();
    host.log.error({ file, lostBytes: "unknown" }, `audit events may be missing: ${what}`);
  };

  /** Reads what a rotated file has left, its last line too. */
  const finish = async ({ file, from }: Remainder): Promise<void> => {
    const intake = intakeOf(file.path);
    host.log.info({ file: file.path, offset: from?.offset ?? 0 }, "reading a rotated file to its end");
    const others = done.filter((one) => one !== from);
    const keep = (mark: Mark): Promise<void> => {
      done = [...others, mark];
      return save([]);
    };
    if (file.gzip) {
      const read = await readCompressed(file, from, intake, maxLine);
      if (read.fault !== undefined) gap(`the compressed file is broken (${read.fault})`, file.path);
      return keep(read.mark);
    }
    const opened = await openFound(file.path, file.inode);
    const reader = await openFileReader(opened, from ?? { offset: 0, line: 1 }, intake, maxLine);
    try {
      let unsaved = 0;
      let got = await reader.read();
      for (; got !== "cut" && got > 0 && !signal.aborted; got = await reader.read()) {
        unsaved += got;
        if (unsaved < savedBytes) continue;
        await keep(await reader.mark());
        unsaved = 0;
      }
      if (got === "cut") gap("the rotated file was cut while it was read", file.path);
      if (!signal.aborted) await reader.end();
      await keep(await reader.mark());
    } finally {
      await reader.close();
    }
  };

  const lookForLate = async (over: boolean): Promise<void> => {
    if (!late || !(await late.look(over))) return;
    done = [...done, late.mark].slice(-marksKept);
    late = undefined;
  };

  /** Resolves when the file was cut, or replaced and read to its end, or the signal came. */
  const followOne = async (reader: FileReader): Promise<"cut" | "replaced" | "stopped"> => {
    let unsaved = 0;
    while (!signal.aborted) {
      const got = await reader.read();
      if (got === "cut") return "cut";
      unsaved += got;
      if (got > 0 && unsaved < savedBytes) continue;
      unsaved = 0;
      await lookForLate(false);
      await save([await reader.mark()]);
      if (got > 0) continue;
      const named = await stat(path).catch(() => undefined);
      // While the new file is empty its writer may still be at the old one.
      const replaced = named?.isFile() && named.ino !== reader.inode && named.size > 0;
      if (replaced && (await reader.read()) === 0) return "replaced";
      if (!replaced) await pause(pollMs, signal);
    }
    return "stopped";
  };

  /** Reads what is older, then opens the file that is written to now; undefined: there is none. */
  const openCurrent = async ({ older, current, seen }: Located): Promise<FileReader | undefined> => {
    const last = older.at(-1);
    // Where the name is free or its file empty, whoever writes may still have the renamed file open.
    const renamed = last && !last.file.gzip && (current?.empty ?? true) ? last : undefined;
    for (const one of renamed ? older.slice(0, -1) : older) if (!signal.aborted) await finish(one);
    // What is left of those is not known to the checkpoint once it knows the current file.
    if (signal.aborted || (!renamed && !current)) return undefined;
    const from = renamed ? renamed.from : current?.from;
    const file = renamed?.file.path ?? path;
    const opened = await openFound(file, renamed?.file.inode ?? current?.inode ?? 0);
    if (!from && seen !== undefined) await refuseRotatedSince(seen, opened);
    done = done.filter((mark) => mark !== from);
    const start = from ?? { offset: fromEnd ? (await opened.stat()).size : 0, line: 1 };
    const reader = await openFileReader(opened, start, intakeOf(file), maxLine);
    // Whoever is killed before the first lines are stored knows the file again, under whatever name.
    if (!from) await save([await reader.mark()]);
    return reader;
  };

  /** A file that is copied and cut keeps its inode: what it held since it was looked at is in the copy. Throws Rotating. */
  const refuseRotatedSince = async (seen: string, opened: FileHandle): Promise<void> => {
    try {
      if (rotationState(await listRotated(path)) !== seen) throw new Rotating("rotated again");
    } catch (error) {
      await opened.close();
      throw error;
    }
  };

  const waitForFile = async (): Promise<void> => {
    host.log.warn({ file: path }, "the file to follow is not there: waiting");
    // What appears later is new from its first byte.
    fromEnd = false;
    positioned();
    while (!signal.aborted && !(await stat(path).catch(() => undefined))?.isFile()) await pause(pollMs, signal);
  };

  return async () => {
    let marks = await load();
    let finished = false;
    let reader: FileReader | undefined;
    done = marks;
    try {
      while (!signal.aborted) {
        const located = await locate(path, marks, finished);
        if (located.gap) {
          gap("what had been read was replaced or cut, and is found under no other name");
          done = [];
        }
        if (!fromEnd) positioned();
        reader = await openCurrent(located);
        if (signal.aborted) return;
        if (!reader) {
          await waitForFile();
          marks = done;
          finished = true;
          continue;
        }
        fromEnd = false;
        positioned();
        const end = await followOne(reader);
        finished = end === "replaced";
        if (finished) await reader.end((line) => splitPayload(line.toString(), settings).dropped.length === 0);
        await lookForLate(end !== "stopped");
        const mark = await reader.mark();
        await save([mark]);
        marks = [...done.slice(-marksKept), mark];
        if (finished) late = watchLateLines(reader, mark);
        else {
          await reader.close();
          done = marks;
        }
        reader = undefined;
      }
    } finally {
      await reader?.close();
      await late?.close();
      late = undefined;
    }
  };
};
