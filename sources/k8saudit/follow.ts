import { type FileHandle, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { createLineIntake, maxLineBytes } from "../../src/audit/line-intake.ts";
import { type PayloadLimits, splitPayload } from "../../src/audit/payload.ts";
import { type FileReader, openFileReader } from "./file-reader.ts";
import { type FollowHost, type Following, finishRotated, savedBytes, tellGap } from "./finish.ts";
import { type Located, locate } from "./locate.ts";
import { createProgress } from "./progress.ts";
import { listRotated, openFound, Rotating, rotationState } from "./rotated.ts";

export interface FollowSettings extends PayloadLimits {
  readonly path: string;
  /** Begin at the end of the file, where no checkpoint says better. */
  readonly fromEnd: boolean;
  /** Between two looks at a file that has not grown. */
  readonly pollMs: number;
}

const longestPauseMs = 30_000;

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
  const progress = createProgress(`file:${settings.path}`, host.checkpoint);
  const start = { fromEnd: settings.fromEnd, positioned };
  const named: NamedFile = {
    limits: settings,
    host,
    signal,
    progress,
    path: settings.path,
    pollMs: settings.pollMs,
    start,
  };
  for (let ms = settings.pollMs; !signal.aborted; ms = Math.min(2 * ms, longestPauseMs)) {
    try {
      await follow(named);
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

/** The file that has the name, whatever it is at a time. */
interface NamedFile extends Following {
  readonly path: string;
  readonly pollMs: number;
  readonly start: {
    /** Until the first file was opened. */
    fromEnd: boolean;
    readonly positioned: () => void;
  };
}

/** Resolves at the signal. */
const follow = async (named: NamedFile): Promise<void> => {
  const { path, limits, signal, progress, start } = named;
  const loaded = await progress.load();
  if (loaded === "damaged") tellGap(named, "its checkpoint cannot be read", path);
  let marks = loaded === "damaged" ? [] : loaded;
  if (loaded === "damaged" || marks.length > 0) start.fromEnd = false;
  let finished = false;
  let reader: FileReader | undefined;
  progress.reset(marks);
  try {
    while (!signal.aborted) {
      const located = await locate(path, marks, finished);
      if (located.gap) {
        tellGap(named, "what had been read was replaced or cut, and is found under no other name", path);
        progress.reset([]);
      }
      if (!start.fromEnd) start.positioned();
      reader = await openCurrent(named, located);
      if (signal.aborted) return;
      if (!reader) {
        await waitForFile(named);
        marks = progress.done;
        finished = true;
        continue;
      }
      start.fromEnd = false;
      start.positioned();
      const end = await followOne(named, reader);
      finished = end === "replaced";
      if (finished) await reader.end((line) => splitPayload(line.toString(), limits).dropped.length === 0);
      await progress.look(end !== "stopped");
      const mark = await reader.mark();
      await progress.save(mark);
      marks = progress.latest(mark);
      if (finished) progress.watch(reader, mark);
      else {
        await reader.close();
        progress.reset(marks);
      }
      reader = undefined;
    }
  } finally {
    await reader?.close();
    await progress.close();
  }
};

/** Resolves when the file was cut, or replaced and read to its end, or the signal came. */
const followOne = async (named: NamedFile, reader: FileReader): Promise<"cut" | "replaced" | "stopped"> => {
  const { path, pollMs, signal, progress } = named;
  let unsaved = 0;
  while (!signal.aborted) {
    const got = await reader.read();
    if (got === "cut") return "cut";
    unsaved += got;
    if (got > 0 && unsaved < savedBytes) continue;
    unsaved = 0;
    await progress.look(false);
    await progress.save(await reader.mark());
    if (got > 0) continue;
    const holder = await stat(path).catch(() => undefined);
    // While the new file is empty its writer may still be at the old one.
    const replaced = holder?.isFile() && holder.ino !== reader.inode && holder.size > 0;
    if (replaced && (await reader.read()) === 0) return "replaced";
    if (!replaced) await pause(pollMs, signal);
  }
  return "stopped";
};

/** Reads what is older, then opens the file that is written to now; undefined: there is none. Throws Rotating. */
const openCurrent = async (named: NamedFile, { older, current, seen }: Located): Promise<FileReader | undefined> => {
  const { path, limits, host, signal, progress, start } = named;
  const last = older.at(-1);
  // Where the name is free or its file empty, whoever writes may still have the renamed file open.
  const renamed = last && !last.file.gzip && (current?.empty ?? true) ? last : undefined;
  for (const one of renamed ? older.slice(0, -1) : older) if (!signal.aborted) await finishRotated(named, one);
  // What is left of those is not known to the checkpoint once it knows the current file.
  if (signal.aborted || (!renamed && !current)) return undefined;
  const from = renamed ? renamed.from : current?.from;
  const file = renamed?.file.path ?? path;
  const opened = await openFound(file, renamed?.file.inode ?? current?.inode ?? 0);
  if (!from && seen !== undefined) await refuseRotatedSince(path, seen, opened);
  progress.reset(progress.done.filter((mark) => mark !== from));
  const begin = from ?? { offset: start.fromEnd ? (await opened.stat()).size : 0, line: 1 };
  const intake = createLineIntake(host, limits, file, signal);
  const reader = await openFileReader(opened, begin, intake, maxLineBytes(limits));
  // Whoever is killed before the first lines are stored knows the file again, under whatever name.
  if (!from) await progress.save(await reader.mark());
  return reader;
};

/** A file that is copied and cut keeps its inode: what it held since it was looked at is in the copy. Throws Rotating. */
const refuseRotatedSince = async (path: string, seen: string, opened: FileHandle): Promise<void> => {
  try {
    if (rotationState(await listRotated(path)) !== seen) throw new Rotating("rotated again");
  } catch (error) {
    await opened.close();
    throw error;
  }
};

const waitForFile = async ({ path, pollMs, host, signal, start }: NamedFile): Promise<void> => {
  host.log.warn({ file: path }, "the file to follow is not there: waiting");
  // What appears later is new from its first byte.
  start.fromEnd = false;
  start.positioned();
  while (!signal.aborted && !(await stat(path).catch(() => undefined))?.isFile()) await pause(pollMs, signal);
};
