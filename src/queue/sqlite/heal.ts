/** What the embedded queue does for itself: room, dead letters' share, damaged files. No timer of it may end the process. */

import { closeSync, openSync } from "node:fs";
import { type Chunk, type Damaged, QueueError } from "../queue.ts";
import type { Core } from "./core.ts";
import { missed } from "./counters.ts";
import { dispatch } from "./handout.ts";
import { createTrimmer } from "./letters.ts";
import { Damaged as DamagedFile, isCorrupt } from "./open.ts";
import { diskAnswers } from "./pages.ts";
import { createRecovery } from "./recovery.ts";
import { anchor, renew } from "./renew.ts";
import { createRoom } from "./room.ts";

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
  status(): { readonly refuses: boolean; readonly warnings: readonly string[]; readonly damaged?: Damaged };
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

export function createCare(core: Core, path: string, facts: CareFacts): Care {
  const room = createRoom(path, () => core.store, core.clock, facts.maxBytes);
  const inMemory = (bytes: number) => core.store.pages().used + bytes <= volatileBytes;
  const recovery = createRecovery(core, path, {
    fits: (bytes, from) => (core.volatile ? inMemory(bytes) : room.fits(bytes, from)),
    allows: (bytes, from) => (core.volatile ? inMemory(bytes) : room.allows(bytes, from)),
    giveUp: () => !core.volatile && room.giveUp(),
  });
  const trim = createTrimmer(core, (Number.isFinite(facts.maxBytes) ? facts.maxBytes : defaultBytes) / 4);
  /** Bytes of the push that was refused last: while they do not fit the queue is full. */
  let wanted = 0;
  let round: NodeJS.Timeout | undefined;
  let healing: NodeJS.Immediate | NodeJS.Timeout | undefined;

  const openLog = () => {
    if (core.walFd !== undefined) closeSync(core.walFd);
    core.walFd = facts.full && !core.volatile ? openSync(`${path}-wal`, "r+") : undefined;
  };

  /** The file makes way for a new one, as soon as no write of it is under way. */
  const heal = () => {
    healing = undefined;
    if (core.closed) return;
    if (facts.syncing()) {
      healing = setTimeout(heal, 5);
      return;
    }
    try {
      const aside = renew(core, path);
      openLog();
      core.sick = false;
      recovery.add(aside);
      core.log("error", "queue: the file is damaged: a new one takes its place and the old one is read back");
      core.schedule();
      for (const lane of core.lanes.values()) dispatch(core, lane);
    } catch (error) {
      core.log("error", `queue: a new file cannot be opened: ${(error as Error).message}`);
      healing = setTimeout(heal, roundMs);
    }
  };

  core.failed = (error) => {
    const corrupt = isCorrupt(error) && diskAnswers(path);
    core.log("error", `queue: the ${corrupt ? "file is damaged" : "disk refuses"}: ${(error as Error).message}`);
    if (!corrupt || core.sick || core.closed) return;
    core.sick = true;
    healing = setImmediate(heal);
  };

  /** Items that are counted but that no reading of the table brings are hidden by damage. */
  const lookForHidden = () => {
    if (core.sick || facts.busy()) return;
    for (const lane of core.lanes.values()) {
      const { slots, late, ready, behind, active, total, delayed, restUntil, next } = lane;
      if (slots.length === 0 || late.size + ready.size > 0 || behind || next || active > 0 || restUntil > core.clock())
        continue;
      if (total <= delayed) continue;
      const there = core.store.counts().find((row) => row.lane === lane.key)?.total ?? 0;
      if (there > delayed) return core.failed(new DamagedFile(`items of lane ${lane.name} are hidden`));
      // They are not in the file: what else lacks is found at the next start, by the count beside it.
      core.log("error", `queue: ${total - there} events of lane ${lane.name} are not in the file`);
      missed(lane, there);
    }
  };

  const rounds: readonly (() => void)[] = [
    () => void trim(),
    () => room.restore(),
    () => recovery.look(),
    () => core.sick || core.states.sweep(),
    lookForHidden,
    () => {
      if (!core.volatile) return;
      anchor(core, path);
      if (!core.volatile) openLog();
    },
  ];
  const quietly = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      core.failed(error);
    }
  };
  const goRound = () => {
    if (!core.closed) for (const work of rounds) quietly(work);
  };

  return {
    check: (chunks) => {
      let bytes = 0;
      for (const chunk of chunks) bytes += chunk.body.length;
      // The dead must not keep out the living.
      if (!core.volatile && !room.fits(bytes, "push")) quietly(() => trim() && room.again());
      const fits = !core.volatile && room.allows(bytes, "push");
      wanted = fits ? 0 : bytes;
      if (!fits) throw new QueueError("full", "the queue has no room for more");
    },
    makeRoom: () => room.giveUp(),
    released: () => quietly(() => recovery.look()),
    start: () => {
      openLog();
      quietly(() => room.restore());
      quietly(() => recovery.run(startMs));
      recovery.start();
      round = setInterval(goRound, roundMs).unref();
    },
    stop: () => {
      clearInterval(round);
      clearImmediate(healing as NodeJS.Immediate);
      clearTimeout(healing as NodeJS.Timeout);
      recovery.stop();
    },
    status: () => {
      const warnings = recovery.warnings();
      let refuses = core.volatile || core.sick;
      try {
        if (!core.closed && !refuses && !room.fits(wanted, "push")) {
          refuses = true;
          warnings.push("the queue has no room for more");
        }
      } catch {
        refuses = true;
      }
      if (core.volatile)
        warnings.push("there is no room for a queue file: what is readable is delivered, nothing is taken");
      const damaged = recovery.state();
      return { refuses, warnings, ...(damaged && { damaged }) };
    },
  };
}
