/** Opens the embedded queue's file whatever state it is in, and says what was wrong with it. */

import { join } from "node:path";
import { QueueError } from "./queue.ts";
import { quarantine, salvage } from "./sqlite-salvage.ts";
import { openStore, type Store } from "./sqlite-store.ts";
import { fileSize, walHidesFrames } from "./sqlite-wal.ts";

export interface OpenedStore {
  readonly store: Store;
  /** The last owner did not say goodbye: it was killed, or the machine went down. */
  readonly unclean: boolean;
  readonly warnings: readonly string[];
}

/** Files up to this size are checked page by page at every start. */
const fullCheckBytes = 64 * 1024 * 1024;

/** SQLite's primary result codes for a file that is not (or no longer) a sound database. */
export const isCorrupt = (error: unknown): boolean => [11, 26].includes(primaryCode(error));
export const isFull = (error: unknown): boolean =>
  primaryCode(error) === 13 || (error as { code?: string }).code === "ENOSPC";
const primaryCode = (error: unknown) => ((error as { errcode?: number }).errcode ?? 0) & 255;

class Damaged extends Error {
  readonly errcode = 11;
}

function check(store: Store): void {
  if (store.fileBytes() <= fullCheckBytes) {
    const found = Object.values(store.db.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (found !== "ok") throw new Damaged("the page check failed");
  }
  store.counts();
}

function openSound(path: string): Store {
  if (walHidesFrames(path, `${path}-wal`)) throw new Damaged("damage hides acknowledged frames");
  const store = openStore(path);
  try {
    check(store);
    return store;
  } catch (error) {
    store.db.close();
    throw error;
  }
}

/** `now` names the quarantined file. Throws QueueError when not even a new file can be made. */
export function openAnyStore(dir: string, now: number): OpenedStore {
  const path = join(dir, "queue.db");
  const logged = fileSize(`${path}-wal`) > 0;
  try {
    let store: Store;
    let warnings: string[] = [];
    try {
      store = openSound(path);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      ({ store, warnings } = rebuild(path, now));
    }
    const unclean = store.readMeta("open") === 1;
    if (unclean && !logged && warnings.length === 0)
      warnings = ["the log of the queue file (queue.db-wal) is missing: what was accepted last may be lost"];
    store.setMeta("open", 1);
    // The mark has to stand in the file itself, or a log that vanishes would take it along.
    store.db.exec("PRAGMA wal_checkpoint");
    if (!unclean && store.freeShare() > 0.5 && store.fileBytes() > fullCheckBytes) store.db.exec("VACUUM");
    return { store, unclean, warnings };
  } catch (error) {
    if (isFull(error)) throw new QueueError("full", "no space to open the queue");
    const code = (error as { errcode?: number }).errcode ?? 0;
    throw new QueueError("unavailable", `the queue file cannot be opened (sqlite ${code})`);
  }
}

function rebuild(path: string, now: number): { store: Store; warnings: string[] } {
  const size = fileSize(path);
  const aside = quarantine(path, now);
  const store = openStore(path);
  const got = salvage(aside, store, now);
  store.setMeta("open", 1);
  const lost = got.lostItems > 0 ? `, ${got.lostItems} chunks were unreadable` : "";
  const name = aside.slice(aside.lastIndexOf("/") + 1);
  return {
    store,
    warnings: [
      `the queue file (${size} bytes) was damaged and is kept as ${name}: ` +
        `${got.events} events and ${got.letters} dead letters were saved${lost}`,
    ],
  };
}
