/** Opens the embedded queue's file whatever state it is in; a damaged one is moved aside and a new one takes its place. */

import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { QueueError } from "../queue.ts";
import { finishMove, moveAside } from "./aside.ts";
import { type LaneCount, type Op, type Owed, openLedger, readLedger } from "./ledger.ts";
import { diskAnswers } from "./pages.ts";
import { removeReserve, reserveBytes } from "./room.ts";
import { NewerFile } from "./schema.ts";
import { memory, openStore, type Store } from "./store.ts";
import { fileSize, pageSize, walHidesFrames } from "./wal.ts";

export interface OpenedStore {
  readonly store: Store;
  /** The last owner did not say goodbye: it was killed, or the machine went down. */
  readonly unclean: boolean;
  readonly warnings: readonly string[];
  /** Numbers up to this one were given to items of files that are aside. */
  readonly seq: number;
  /** There is no room for a file: the store is in memory and takes nothing new. */
  readonly volatile: boolean;
  /** Every page of the file was looked at. */
  readonly checked: boolean;
}

/** Files up to this size are checked page by page at every start; of larger ones every item is counted. */
const fullCheckBytes = 512 * 1024 * 1024;

/** SQLite's primary result codes for a file that is not (or no longer) a sound database. */
export const isCorrupt = (error: unknown): boolean => [11, 26].includes(primaryCode(error));
export const isFull = (error: unknown): boolean =>
  primaryCode(error) === 13 || (error as { code?: string }).code === "ENOSPC";
const primaryCode = (error: unknown) => ((error as { errcode?: number }).errcode ?? 0) & 255;

export class Damaged extends Error {
  readonly errcode = 11;
}

/** `stamp` names a file that is moved aside. Throws QueueError when not even a new file can be made. */
export function openAnyStore(path: string, stamp: number): OpenedStore {
  try {
    finishMove(path);
    return openExisting(path, stamp);
  } catch (error) {
    if (!isFull(error)) throw asQueueError(error);
  }
  removeReserve(path);
  try {
    return openExisting(path, stamp);
  } catch (error) {
    throw asQueueError(error);
  }
}

function asQueueError(error: unknown): QueueError {
  if (error instanceof NewerFile)
    return new QueueError("unavailable", `the queue file cannot be opened: ${error.message}`);
  if (isFull(error)) return new QueueError("full", "no space to open the queue");
  const code = (error as { errcode?: number }).errcode ?? (error as { code?: string }).code ?? 0;
  return new QueueError("unavailable", `the queue file cannot be opened (${code})`);
}

function openExisting(path: string, stamp: number): OpenedStore {
  const warnings: string[] = [];
  const owed = readLedger(path);
  let opened: Sound | undefined;
  try {
    opened = openSound(path, owed, warnings);
  } catch (error) {
    if (!isCorrupt(error) || !diskAnswers(path)) throw error;
    moveAside(path, stamp);
  }
  const { store, unclean, checked, volatile } = opened
    ? { ...opened, volatile: false }
    : { ...openNew(path), unclean: true, checked: true };
  // Without a count nobody knows which numbers were given: the clock's are larger.
  const seq = owed?.seq ?? (opened ? 0 : stamp * 1000);
  const largest = Math.max(seq, store.maxSeq().item);
  // Larger than any that stands in what is left of an unreadable count.
  const generation = owed ? Math.max(owed.generation, store.readMeta("count")) : stamp;
  if (!volatile) startCount(path, store, generation, largest, warnings);
  return { store, unclean, warnings, seq: largest, volatile, checked };
}

/** A new, empty file where there is none; in memory when there is no room for one. */
export function openNew(path: string): { store: Store; volatile: boolean } {
  for (const again of [true, false]) {
    let store: Store | undefined;
    try {
      store = openStore(path, logPages(path));
      store.setMeta("open", 1);
      return { store, volatile: false };
    } catch {
      store?.db.close();
      for (const suffix of ["", "-wal"]) rmSync(path + suffix, { force: true });
      if (again) removeReserve(path);
    }
  }
  return { store: openStore(memory, 0), volatile: true };
}

/** On small volumes the log is kept short. */
const logPages = (path: string): number => Math.min(1000, Math.floor(reserveBytes(dirname(path)) / pageSize / 2));

type Sound = Pick<OpenedStore, "store" | "unclean" | "checked">;

function openSound(path: string, owed: Owed | undefined, warnings: string[]): Sound {
  const logged = fileSize(`${path}-wal`) > 0;
  if (walHidesFrames(path, `${path}-wal`)) throw new Damaged("damage hides acknowledged frames");
  const store = openStore(path, logPages(path));
  try {
    const { used, inside } = store.pages();
    const checked = used + inside <= fullCheckBytes;
    if (checked) {
      const found = Object.values(store.db.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
      if (found !== "ok") throw new Damaged("the page check failed");
    }
    const unclean = store.readMeta("open") === 1;
    // A count that is older than the file says nothing.
    const known = owed && owed.generation >= store.readMeta("count") ? owed : undefined;
    if (known && !agrees(store, known)) {
      // A machine that went down may have kept more of one file than of the other.
      if (known.sameBoot || !known.open) throw new Damaged("it does not hold what was counted");
      warnings.push("the machine went down: what was accepted last may be lost");
    } else if (unclean && !logged && !known)
      warnings.push("the log of the queue file (queue.db-wal) is missing: what was accepted last may be lost");
    // On a full disk the start goes on without.
    attempt(() => store.setMeta("open", 1));
    // The mark has to stand in the file itself, or a log that vanishes would take it along.
    attempt(() => store.db.exec("PRAGMA wal_checkpoint"));
    if (!unclean && inside > used && used + inside > 64 * 1024 * 1024) attempt(() => store.db.exec("VACUUM"));
    return { store, unclean, checked };
  } catch (error) {
    store.db.close();
    throw error;
  }
}

/** The file holds what the count says, with or without the transaction in doubt. */
function agrees(store: Store, owed: Owed): boolean {
  const found = new Map(store.counts().map((row) => [row.lane, row]));
  const counts = (extra: readonly Op[]) => {
    const lanes = new Map([...owed.lanes].map(([key, { live, dead }]) => [key, { live, dead }]));
    for (const { what, lane, count } of extra) {
      const to = lanes.get(lane);
      if (to && what === "dead") to.dead += count;
      else if (to) to.live += what === "add" ? count : -count;
    }
    return lanes;
  };
  return [counts([]), counts(owed.doubt)].some(
    (lanes) =>
      [...found.keys()].every((key) => lanes.has(key)) &&
      [...lanes].every(([key, lane]) => {
        const { total = 0, dead = 0 } = found.get(key) ?? {};
        return total === lane.live && dead === lane.dead;
      }),
  );
}

/** Counts from what is there; without a count nothing but the count is missing. */
export function startCount(path: string, store: Store, generation: number, seq: number, warnings: string[]): void {
  const counts = new Map(store.counts().map((row) => [row.lane, row]));
  const lanes = new Map<number, LaneCount>(
    store.lanes().map(({ key, name }) => {
      const { total = 0, dead = 0 } = counts.get(key) ?? {};
      return [key, { name, live: total, dead }];
    }),
  );
  try {
    const turnBytes = Math.min(256 * 1024, reserveBytes(dirname(path)) / 2);
    const ledger = openLedger(path, { generation, lanes, seq }, turnBytes);
    store.countIn(ledger);
    attempt(() => store.setMeta("count", ledger.generation()));
  } catch {
    warnings.push("there is no room to count what the queue holds: damage could not be told to the event");
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The next start, or the next write, tries again.
  }
}

export const queueFile = (dir: string): string => join(dir, "queue.db");
