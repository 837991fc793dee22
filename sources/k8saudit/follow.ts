import { type FileHandle, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { createLineIntake, type LineIntake, maxLineBytes } from "../../src/audit/line-intake.ts";
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
  const following = new Following(settings, host, signal, positioned);
  for (let ms = settings.pollMs; !signal.aborted; ms = Math.min(2 * ms, longestPauseMs)) {
    try {
      await following.run();
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

/** One following: what it has read, what late lines it still looks for, where its checkpoint is. */
class Following {
  readonly #path: string;
  readonly #settings: FollowSettings;
  readonly #host: FollowHost;
  readonly #signal: AbortSignal;
  readonly #positioned: () => void;
  /** Of the checkpoint. */
  readonly #key: string;
  readonly #maxLine: number;
  /** Files read before the current one, that of the late lines left out. */
  #done: readonly Mark[] = [];
  #late: LateLines | undefined;
  #fromEnd: boolean;
  /** How far lines are stored, and what the checkpoint says. */
  #reached = "";
  #saved: string | undefined;

  constructor(settings: FollowSettings, host: FollowHost, signal: AbortSignal, positioned: () => void) {
    this.#path = settings.path;
    this.#settings = settings;
    this.#host = host;
    this.#signal = signal;
    this.#positioned = positioned;
    this.#key = `file:${settings.path}`;
    this.#maxLine = maxLineBytes(settings);
    this.#fromEnd = settings.fromEnd;
  }

  #intakeOf(file: string): LineIntake {
    return createLineIntake(this.#host, this.#settings, file, this.#signal);
  }

  async #save(current: readonly Mark[]): Promise<void> {
    this.#reached = writeMarks([...this.#done, ...(this.#late ? [this.#late.mark] : []), ...current]);
    if (this.#reached === this.#saved) return;
    await this.#host.checkpoint.set(this.#key, this.#reached);
    this.#saved = this.#reached;
  }

  async #load(): Promise<readonly Mark[]> {
    const text = this.#reached || (await this.#host.checkpoint.get(this.#key));
    if (!text) return [];
    this.#fromEnd = false;
    const marks = readMarks(text);
    if (!marks) this.#gap("its checkpoint cannot be read");
    return marks ?? [];
  }

  #gap(what: string, file = this.#path): void {
    this.#host.gap?.();
    this.#host.log.error({ file, lostBytes: "unknown" }, `audit events may be missing: ${what}`);
  }

  /** Reads what a rotated file has left, its last line too. */
  async #finish({ file, from }: Remainder): Promise<void> {
    const intake = this.#intakeOf(file.path);
    this.#host.log.info({ file: file.path, offset: from?.offset ?? 0 }, "reading a rotated file to its end");
    const others = this.#done.filter((one) => one !== from);
    const keep = (mark: Mark): Promise<void> => {
      this.#done = [...others, mark];
      return this.#save([]);
    };
    if (file.gzip) {
      const read = await readCompressed(file, from, intake, this.#maxLine);
      if (read.fault !== undefined) this.#gap(`the compressed file is broken (${read.fault})`, file.path);
      return keep(read.mark);
    }
    const opened = await openFound(file.path, file.inode);
    const reader = await openFileReader(opened, from ?? { offset: 0, line: 1 }, intake, this.#maxLine);
    try {
      let unsaved = 0;
      let got = await reader.read();
      for (; got !== "cut" && got > 0 && !this.#signal.aborted; got = await reader.read()) {
        unsaved += got;
        if (unsaved < savedBytes) continue;
        await keep(await reader.mark());
        unsaved = 0;
      }
      if (got === "cut") this.#gap("the rotated file was cut while it was read", file.path);
      if (!this.#signal.aborted) await reader.end();
      await keep(await reader.mark());
    } finally {
      await reader.close();
    }
  }

  async #lookForLate(over: boolean): Promise<void> {
    if (!this.#late || !(await this.#late.look(over))) return;
    this.#done = [...this.#done, this.#late.mark].slice(-marksKept);
    this.#late = undefined;
  }

  /** Resolves when the file was cut, or replaced and read to its end, or the this.#signal came. */
  async #followOne(reader: FileReader): Promise<"cut" | "replaced" | "stopped"> {
    let unsaved = 0;
    while (!this.#signal.aborted) {
      const got = await reader.read();
      if (got === "cut") return "cut";
      unsaved += got;
      if (got > 0 && unsaved < savedBytes) continue;
      unsaved = 0;
      await this.#lookForLate(false);
      await this.#save([await reader.mark()]);
      if (got > 0) continue;
      const named = await stat(this.#path).catch(() => undefined);
      // While the new file is empty its writer may still be at the old one.
      const replaced = named?.isFile() && named.ino !== reader.inode && named.size > 0;
      if (replaced && (await reader.read()) === 0) return "replaced";
      if (!replaced) await pause(this.#settings.pollMs, this.#signal);
    }
    return "stopped";
  }

  /** Reads what is older, then opens the file that is written to now; undefined: there is none. */
  async #openCurrent({ older, current, seen }: Located): Promise<FileReader | undefined> {
    const last = older.at(-1);
    // Where the name is free or its file empty, whoever writes may still have the renamed file open.
    const renamed = last && !last.file.gzip && (current?.empty ?? true) ? last : undefined;
    for (const one of renamed ? older.slice(0, -1) : older) if (!this.#signal.aborted) await this.#finish(one);
    // What is left of those is not known to the checkpoint once it knows the current file.
    if (this.#signal.aborted || (!renamed && !current)) return undefined;
    const from = renamed ? renamed.from : current?.from;
    const file = renamed?.file.path ?? this.#path;
    const opened = await openFound(file, renamed?.file.inode ?? current?.inode ?? 0);
    if (!from && seen !== undefined) await this.#refuseRotatedSince(seen, opened);
    this.#done = this.#done.filter((mark) => mark !== from);
    const start = from ?? { offset: this.#fromEnd ? (await opened.stat()).size : 0, line: 1 };
    const reader = await openFileReader(opened, start, this.#intakeOf(file), this.#maxLine);
    // Whoever is killed before the first lines are stored knows the file again, under whatever name.
    if (!from) await this.#save([await reader.mark()]);
    return reader;
  }

  /** A file that is copied and cut keeps its inode: what it held since it was looked at is in the copy. Throws Rotating. */
  async #refuseRotatedSince(seen: string, opened: FileHandle): Promise<void> {
    try {
      if (rotationState(await listRotated(this.#path)) !== seen) throw new Rotating("rotated again");
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async #waitForFile(): Promise<void> {
    this.#host.log.warn({ file: this.#path }, "the file to follow is not there: waiting");
    // What appears later is new from its first byte.
    this.#fromEnd = false;
    this.#positioned();
    while (!this.#signal.aborted && !(await stat(this.#path).catch(() => undefined))?.isFile())
      await pause(this.#settings.pollMs, this.#signal);
  }

  async run(): Promise<void> {
    let marks = await this.#load();
    let finished = false;
    let reader: FileReader | undefined;
    this.#done = marks;
    try {
      while (!this.#signal.aborted) {
        const located = await locate(this.#path, marks, finished);
        if (located.gap) {
          this.#gap("what had been read was replaced or cut, and is found under no other name");
          this.#done = [];
        }
        if (!this.#fromEnd) this.#positioned();
        reader = await this.#openCurrent(located);
        if (this.#signal.aborted) return;
        if (!reader) {
          await this.#waitForFile();
          marks = this.#done;
          finished = true;
          continue;
        }
        this.#fromEnd = false;
        this.#positioned();
        const end = await this.#followOne(reader);
        finished = end === "replaced";
        if (finished) await reader.end((line) => splitPayload(line.toString(), this.#settings).dropped.length === 0);
        await this.#lookForLate(end !== "stopped");
        const mark = await reader.mark();
        await this.#save([mark]);
        marks = [...this.#done.slice(-marksKept), mark];
        if (finished) this.#late = watchLateLines(reader, mark);
        else {
          await reader.close();
          this.#done = marks;
        }
        reader = undefined;
      }
    } finally {
      await reader?.close();
      await this.#late?.close();
      this.#late = undefined;
    }
  }
}
