/**
 * The embedded queue: one SQLite file in WAL mode, owned by one process. One row is one chunk; whatever arrives while
 * a write is being prepared shares its transaction.
 */

import { closeSync } from "node:fs";
import { type Originals, type Queue, QueueError, type QueueStatus } from "../queue.ts";
import { originalsOf } from "./aside.ts";
import type { Core } from "./core.ts";
import { createFlusher, type Flusher } from "./flush.ts";
import { closeSlots } from "./handout.ts";
import { type Care, createCare } from "./heal.ts";
import { consume, push } from "./intake.ts";
import { lockDirectory } from "./lock.ts";
import { createCore } from "./new-core.ts";
import { type OpenedStore, openAnyStore, queueFile } from "./open.ts";
import { reading } from "./reading.ts";
import type { SqliteSettings } from "./settings.ts";
import { prepareStart } from "./start.ts";
import { openFigures, openLetters } from "./views.ts";

/** Opens or creates the queue. Throws QueueError `unavailable` when another process owns the directory. */
export function openSqliteQueue(settings: SqliteSettings): Queue {
  const path = queueFile(settings.dir);
  const { opened, unlock } = openLocked(settings, path);
  const core = createCore(settings, opened);
  const care = createCare(core, path, {
    maxBytes: settings.maxBytes ?? 4 * 1024 ** 3,
    full: settings.durability === "full",
    syncing: () => flusher.syncing(),
    busy: () => flusher.busy(),
  });
  prepareStart(core);
  const flusher = createFlusher(core, () => care.makeRoom());
  care.start();
  return {
    originals: releasedWith(core, care, originalsOf(path)),
    push: (chunks) => push(core, care, flusher, chunks),
    consume: (name, handle, parallel) => consume(core, flusher, name, handle, parallel),
    during: core.handling.during,
    state: (name) => ({
      get: async (key) => {
        const lane = core.lanes.get(name);
        return lane && reading(core, () => core.states.read(lane.key, key));
      },
    }),
    ...openFigures(core, flusher),
    ...openLetters(core, flusher),
    status: () => statusOf(core, care),
    close: async () => {
      if (core.closed) return;
      await close(core, care, flusher);
      unlock();
    },
  };
}

function openLocked({ dir, now, log }: SqliteSettings, path: string): { opened: OpenedStore; unlock: () => void } {
  const unlock = lockDirectory(dir, (loose) =>
    log?.("warn", `queue: others can read ${loose[0]}, and it is not this user's to shut (${loose.length} in all)`),
  );
  try {
    return { opened: openAnyStore(path, now()), unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Whoever releases a file has it no longer told of. */
const releasedWith = (core: Core, care: Care, originals: Originals): Originals => ({
  list: originals.list,
  release: async (names) => {
    const gone = await originals.release(names);
    care.released();
    for (const { name, bytes } of gone) core.log("info", `queue: ${name} (${bytes} bytes) is released`);
    return gone;
  },
});

function statusOf(core: Core, care: Care): QueueStatus {
  const { refuses, warnings, damaged } = care.status();
  const writable = core.writable && !core.closed && !refuses;
  const all = [...core.warnings, ...warnings];
  if (!core.writable) all.push("the last write to the disk failed");
  return { driver: "sqlite", writable, durable: true, warnings: all, ...(damaged && { damaged }) };
}

async function close(core: Core, care: Care, flusher: Flusher): Promise<void> {
  const slots = [...core.lanes.values()].flatMap((l) => l.slots);
  await closeSlots(core, slots, 0);
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
}
