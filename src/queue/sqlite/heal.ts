/** What the embedded queue does for itself: room, dead letters' share, damaged files. No timer of it may end the process. */

import { closeSync, openSync } from "node:fs";
import { type Chunk, type Damaged, QueueError } from "../queue.ts";
import type { Core } from "./core.ts";
import { missed } from "./counters.ts";
import { dispatch } from "./handout.ts";
import type { Lane } from "./lane.ts";
import { createTrimmer } from "./letters.ts";
import { Damaged as DamagedFile, isCorrupt } from "./open.ts";
import { diskAnswers } from "./pages.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import { anchor, renew } from "./renew.ts";
import { createRoom, type Room } from "./room.ts";

export interface Care {
  /** Throws QueueError `full` when the chunks have no room. */
  check(chunks: readonly Chunk[]): void;
  /** Called when the disk is full in spite of all; true when that helped. */
  makeRoom(): boolean;
  /** Damaged files were released: nothing more is said of them. */
  released(): void;
  start(): void;
  stop(): void;
  /** Never throws. */
  status(): CareStatus;
}

export interface CareStatus {
  /** Pushes are refused, or the last one that was would still be. */
  readonly refuses: boolean;
  readonly warnings: readonly string[];
  readonly damaged?: Damaged;
}

export interface CareFacts {
  readonly maxBytes: number;
  /** Writes are to reach the disk itself. */
  readonly full: boolean;
  readonly syncing: () => boolean;
  readonly busy: () => boolean;
}

const roundMs = 1000;
/** Stands in for no limit, where a share of it is meant: a queue without bounds is not one for the dead. */
const defaultBytes = 4 * 1024 ** 3;
/** The share of memory that a store without a file may take. */
const volatileBytes = 16 * 1024 * 1024;
/** How long a start waits for a damaged file to be read back; what is left follows beside the deliveries. */
const startMs = 1000;

export const createCare = (core: Core, path: string, facts: CareFacts): Care => new FileCare(core, path, facts);

class FileCare implements Care {
  readonly #core: Core;
  readonly #path: string;
  readonly #facts: CareFacts;
  readonly #room: Room;
  readonly #recovery: Recovery;
  readonly #trim: () => boolean;
  /** Bytes of the push that was refused last: while they do not fit the queue is full. */
  #wanted = 0;
  #round: NodeJS.Timeout | undefined;
  #healing: NodeJS.Immediate | NodeJS.Timeout | undefined;

  constructor(core: Core, path: string, facts: CareFacts) {
    this.#core = core;
    this.#path = path;
    this.#facts = facts;
    const room = createRoom(path, () => core.store, core.clock, facts.maxBytes);
    const inMemory = (bytes: number) => core.store.pages().used + bytes <= volatileBytes;
    this.#room = room;
    this.#recovery = createRecovery(core, path, {
      fits: (bytes, from) => (core.volatile ? inMemory(bytes) : room.fits(bytes, from)),
      allows: (bytes, from) => (core.volatile ? inMemory(bytes) : room.allows(bytes, from)),
      giveUp: () => !core.volatile && room.giveUp(),
    });
    this.#trim = createTrimmer(core, (Number.isFinite(facts.maxBytes) ? facts.maxBytes : defaultBytes) / 4);
    core.failed = (error) => this.#failed(error);
  }

  check(chunks: readonly Chunk[]): void {
    const [core, room] = [this.#core, this.#room];
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.body.length;
    // The dead must not keep out the living.
    if (!core.volatile && !room.fits(bytes, "push")) this.#quietly(() => this.#trim() && room.again());
    const fits = !core.volatile && room.allows(bytes, "push");
    this.#wanted = fits ? 0 : bytes;
    if (!fits) throw new QueueError("full", "the queue has no room for more");
  }

  makeRoom(): boolean {
    return this.#room.giveUp();
  }

  released(): void {
    this.#quietly(() => this.#recovery.look());
  }

  start(): void {
    this.#openLog();
    this.#quietly(() => this.#room.restore());
    this.#quietly(() => this.#recovery.run(startMs));
    this.#recovery.start();
    this.#round = setInterval(() => this.#goRound(), roundMs).unref();
  }

  stop(): void {
    clearInterval(this.#round);
    clearImmediate(this.#healing as NodeJS.Immediate);
    clearTimeout(this.#healing as NodeJS.Timeout);
    this.#recovery.stop();
  }

  status(): CareStatus {
    const core = this.#core;
    const warnings = this.#recovery.warnings();
    let refuses = core.volatile || core.sick;
    try {
      if (!core.closed && !refuses && !this.#room.fits(this.#wanted, "push")) {
        refuses = true;
        warnings.push("the queue has no room for more");
      }
    } catch {
      refuses = true;
    }
    if (core.volatile)
      warnings.push("there is no room for a queue file: what is readable is delivered, nothing is taken");
    const damaged = this.#recovery.state();
    return { refuses, warnings, ...(damaged && { damaged }) };
  }

  #openLog(): void {
    const core = this.#core;
    if (core.walFd !== undefined) closeSync(core.walFd);
    core.walFd = this.#facts.full && !core.volatile ? openSync(`${this.#path}-wal`, "r+") : undefined;
  }

  #failed(error: unknown): void {
    const core = this.#core;
    const corrupt = isCorrupt(error) && diskAnswers(this.#path);
    core.log("error", `queue: the ${corrupt ? "file is damaged" : "disk refuses"}: ${(error as Error).message}`);
    if (!corrupt || core.sick || core.closed) return;
    core.sick = true;
    this.#healing = setImmediate(() => this.#heal());
  }

  /** The file makes way for a new one, as soon as no write of it is under way. */
  #heal(): void {
    const core = this.#core;
    this.#healing = undefined;
    if (core.closed) return;
    if (this.#facts.syncing()) {
      this.#healing = setTimeout(() => this.#heal(), 5);
      return;
    }
    try {
      const aside = renew(core, this.#path);
      this.#openLog();
      core.sick = false;
      this.#recovery.add(aside);
      core.log("error", "queue: the file is damaged: a new one takes its place and the old one is read back");
      core.schedule();
      for (const lane of core.lanes.values()) dispatch(core, lane);
    } catch (error) {
      core.log("error", `queue: a new file cannot be opened: ${(error as Error).message}`);
      this.#healing = setTimeout(() => this.#heal(), roundMs);
    }
  }

  /** What one part cannot do now keeps none of the others from it. */
  #goRound(): void {
    const core = this.#core;
    if (core.closed) return;
    this.#quietly(this.#trim);
    this.#quietly(() => this.#room.restore());
    this.#quietly(() => this.#recovery.look());
    this.#quietly(() => core.sick || core.states.sweep());
    this.#quietly(() => this.#lookForHidden());
    this.#quietly(() => this.#leaveMemory());
  }

  /** Items that are counted but that no reading of the table brings are hidden by damage. */
  #lookForHidden(): void {
    const core = this.#core;
    if (core.sick || this.#facts.busy()) return;
    for (const lane of core.lanes.values()) {
      if (!isIdle(lane, core.clock()) || lane.total <= lane.delayed) continue;
      const there = core.store.counts().find((row) => row.lane === lane.key)?.total ?? 0;
      if (there > lane.delayed) {
        core.failed(new DamagedFile(`items of lane ${lane.name} are hidden`));
        return;
      }
      // They are not in the file: what else lacks is found at the next start, by the count beside it.
      core.log("error", `queue: ${lane.total - there} events of lane ${lane.name} are not in the file`);
      missed(lane, there);
    }
  }

  /** A store without a file gets one, once there is room for it. */
  #leaveMemory(): void {
    if (!this.#core.volatile) return;
    anchor(this.#core, this.#path);
    if (!this.#core.volatile) this.#openLog();
  }

  #quietly(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      this.#core.failed(error);
    }
  }
}

/** Somebody consumes the lane, and nothing of it that is due is in hand or known. */
const isIdle = ({ slots, late, ready, behind, next, active, restUntil }: Lane, now: number): boolean =>
  slots.length > 0 && late.size + ready.size === 0 && !behind && !next && active === 0 && restUntil <= now;
