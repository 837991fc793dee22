/**
 * The embedded queue: one SQLite file in WAL mode, owned by one process. One row is one chunk; whatever arrives while
 * a write is being prepared shares its transaction.
 */

import { closeSync } from "node:fs";
import { join } from "node:path";
import { openHandling, reasonOf } from "../handling.ts";
import { createMemory, type Memory } from "../memory.ts";
import {
  type Chunk,
  type Consumer,
  type DeadLetter,
  type Depth,
  type Handle,
  type Queue,
  QueueError,
  type QueueStatus,
} from "../queue.ts";
import { admitAll, refuse } from "./admit.ts";
import { originalsOf } from "./aside.ts";
import { type Core, laneOf, type QueueLog } from "./core.ts";
import { createFlusher } from "./flush.ts";
import { closeSlots, dispatch } from "./handout.ts";
import { createCare } from "./heal.ts";
import { createCache, type Lane, type Rec, type Slot } from "./lane.ts";
import type { LetterRow } from "./letter-table.ts";
import { moveLetters } from "./letters.ts";
import { lockDirectory } from "./lock.ts";
import { openAnyStore, queueFile } from "./open.ts";
import { prepareStart } from "./start.ts";
import { createStates } from "./states.ts";
import { armTimer, enlist } from "./window.ts";
import { emptyBatch } from "./write.ts";

export interface SqliteSettings {
  /** Directory of the queue's files; made when missing. One process at a time. */
  readonly dir: string;
  /** `normal`: an accepted chunk survives the death of the process. `full`: also that of the machine. */
  readonly durability: "normal" | "full";
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that only go forward; the process's own by default. */
  readonly monotonic?: () => number;
  readonly log?: QueueLog;
  /** Pushes are refused as `full` above this size of the file's content. Default 4 GiB. */
  readonly maxBytes?: number;
  /** Events became dead letters that no handler gave up: `poison`, `corrupt`. */
  readonly onDead?: (lane: string, reason: string, events: number) => void;
  /** Events of dead letters were dropped: the letters of all lanes may have a quarter of `maxBytes`. */
  readonly onDropped?: (lane: string, events: number) => void;
  /** Shared with other queues of the process; absent: the default budget. */
  readonly memory?: Memory;
  /** How long an item rests whose handler threw. Default 1000. */
  readonly throwDelayMs?: number;
}

/** Opens or creates the queue. Throws QueueError `unavailable` when another process owns the directory. */
export function openSqliteQueue(settings: SqliteSettings): Queue {
  const { dir, now } = settings;
  const path = queueFile(dir);
  const unlock = lockDirectory(dir, (loose) =>
    settings.log?.(
      "warn",
      `queue: others can read ${loose[0]}, and it is not this user's to shut (${loose.length} in all)`,
    ),
  );
  let opened: ReturnType<typeof openAnyStore>;
  try {
    opened = openAnyStore(path, now());
  } catch (error) {
    unlock();
    throw error;
  }
  const monotonic = settings.monotonic ?? (() => performance.now());
  const [wall, zero] = [now(), monotonic()];
  const top = opened.store.maxSeq();
  const memory = settings.memory ?? createMemory();
  const clock = () => wall + monotonic() - zero;
  const core: Core = {
    store: opened.store,
    states: createStates(() => core.store.state, clock, opened.store.state.newest()),
    lanes: new Map(),
    cache: createCache(memory.cacheBytes),
    memory,
    wake: (lane) => dispatch(core, lane),
    batch: emptyBatch(),
    clock,
    now,
    log: settings.log ?? (() => {}),
    handling: openHandling(join(dir, "handling")),
    throwDelayMs: settings.throwDelayMs ?? 1000,
    warnings: [...opened.warnings],
    putAside: (lane, why, events) => {
      const text = `${events} events in lane ${lane} became dead letters (${why})`;
      core.warnings.push(text);
      core.log("error", `queue: ${text}`);
      settings.onDead?.(lane, reasonOf(why), events);
    },
    dropped: settings.onDropped ?? (() => {}),
    writable: true,
    closed: false,
    volatile: opened.volatile,
    checked: opened.checked,
    sick: false,
    finished: new Map(),
    walFd: undefined,
    seq: opened.seq,
    bodySeq: top.body,
    laneKey: 0,
    schedule: () => {},
    failed: () => {},
  };
  for (const warning of opened.warnings) core.log("warn", `queue: ${warning}`);
  const care = createCare(core, path, {
    maxBytes: settings.maxBytes ?? 4 * 1024 ** 3,
    full: settings.durability === "full",
    syncing: () => flusher.syncing(),
    busy: () => flusher.busy(),
  });
  prepareStart(core);
  const flusher = createFlusher(core, care.makeRoom);
  care.start();

  const originals = originalsOf(path);

  return {
    originals: {
      list: originals.list,
      release: async (names) => {
        const gone = await originals.release(names);
        care.released();
        for (const { name, bytes } of gone) core.log("info", `queue: ${name} (${bytes} bytes) is released`);
        return gone;
      },
    },
    async push(chunks: readonly Chunk[]): Promise<void> {
      if (core.closed) throw new QueueError("closed", "the queue is closed");
      care.check(chunks);
      const recs: Rec[] = [];
      try {
        admitAll(core, chunks, (rec) => recs.push(rec));
      } catch (error) {
        for (const rec of recs) refuse(core, rec);
        throw unreadable(core, error);
      }
      // A double of a chunk that is being written is as safe as that chunk: it waits for it.
      if (recs.length === 0 && !flusher.busy()) return;
      core.batch.pushed.push(...recs);
      const written = new Promise<void>((resolve, reject) => core.batch.waiters.push({ resolve, reject }));
      for (const rec of recs) enlist(core, rec);
      core.schedule();
      for (const lane of new Set(recs.map((r) => r.lane))) dispatch(core, lane);
      await written;
    },
    consume(name: string, handle: Handle, parallel: number): Consumer {
      const lane = laneOf(core, name);
      const slot: Slot = { handle, parallel, inHand: 0, paused: false, closed: false, recs: new Set() };
      lane.slots.push(slot);
      armTimer(core, lane);
      setImmediate(() => dispatch(core, lane));
      return {
        pause: () => {
          slot.paused = true;
        },
        resume: () => {
          slot.paused = false;
          dispatch(core, lane);
        },
        close: async (deadlineMs) => {
          await closeSlots(core, [slot], deadlineMs);
          const at = lane.slots.indexOf(slot);
          if (at >= 0) lane.slots.splice(at, 1);
          if (!core.closed) await flusher.settled();
          dispatch(core, lane);
        },
      };
    },
    during: core.handling.during,
    state: (name) => ({
      get: async (key) => {
        const lane = core.lanes.get(name);
        return lane && reading(core, () => core.states.read(lane.key, key));
      },
    }),
    // Figures are memory's: whoever asks for them waits for no disk.
    async depth(name: string): Promise<Depth> {
      flusher.catchUp();
      const lane = core.lanes.get(name);
      if (!lane) return { waiting: 0, active: 0, delayed: 0, dead: 0 };
      const { total, active, delayed, dead } = lane;
      const oldestAt = total > 0 ? oldestOf(core, lane) : undefined;
      return {
        waiting: total - active - delayed,
        active,
        delayed,
        dead,
        ...(oldestAt === undefined ? {} : { oldestAt }),
      };
    },
    async lanes() {
      flusher.catchUp();
      return [...core.lanes.values()].filter((l) => l.total > 0 || l.dead > 0).map((l) => l.name);
    },
    async dead(name, limit, after): Promise<readonly DeadLetter[]> {
      flusher.catchUp();
      const lane = core.lanes.get(name);
      if (!lane) return [];
      return reading(core, () => {
        const from = after === undefined ? 0 : core.store.letter(lane.key, after)?.seq;
        if (from === undefined) return [];
        return core.store.letters(lane.key, from, limit).map((l) => toLetter(name, l));
      });
    },
    async redrive(name, ids, steps) {
      flusher.catchUp();
      return moveLetters(core, name, ids, true, steps).catch((error) => {
        throw unreadable(core, error);
      });
    },
    async discard(name, ids, steps) {
      flusher.catchUp();
      return moveLetters(core, name, ids, false, steps).catch((error) => {
        throw unreadable(core, error);
      });
    },
    status(): QueueStatus {
      const { refuses, warnings, damaged } = care.status();
      const writable = core.writable && !core.closed && !refuses;
      const all = [...core.warnings, ...warnings];
      if (!core.writable) all.push("the last write to the disk failed");
      return { driver: "sqlite", writable, durable: true, warnings: all, ...(damaged && { damaged }) };
    },
    async close() {
      if (core.closed) return;
      await closeSlots(
        core,
        [...core.lanes.values()].flatMap((l) => l.slots),
        0,
      );
      await flusher.settled();
      core.closed = true;
      flusher.stop();
      care.stop();
      for (const lane of core.lanes.values()) clearTimeout(lane.timer);
      for (const w of core.batch.waiters) w.reject(new QueueError("closed", "the queue is closed"));
      try {
        core.store.setMeta("open", 0);
      } catch {
        // On a full disk the goodbye cannot be written: the next start looks more closely, no more.
      }
      if (core.walFd !== undefined) closeSync(core.walFd);
      try {
        core.store.closeCount(true);
        core.store.db.close();
      } catch {
        // What is not folded into the file stands in its log.
      }
      core.handling.close();
      unlock();
    },
  };
}

function unreadable(core: Core, error: unknown): Error {
  if (error instanceof QueueError) return error;
  core.failed(error);
  return new QueueError(core.sick ? "corrupt" : "unavailable", "the queue cannot be read");
}

function reading<T>(core: Core, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(core, error);
  }
}

/** Looked up once for as long as that item is in the lane. */
function oldestOf(core: Core, lane: Lane): number | undefined {
  if (!lane.stored) return undefined;
  lane.oldest ??= reading(core, () => core.store.oldest(lane.key));
  return lane.oldest?.at;
}

const toLetter = (lane: string, l: LetterRow): DeadLetter => ({
  lane,
  id: l.id,
  at: l.at,
  diedAt: l.died,
  body: l.body,
  count: l.count,
  why: l.why,
});
