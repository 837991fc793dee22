/** One process owns a queue directory: an exclusive lock of the operating system, which a dead process cannot keep. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { privateFile, privateFolder } from "../private-files.ts";
import { QueueError } from "../queue.ts";

/**
 * Makes the directory its owner's alone and returns the unlock; `onLoose` hears of files that others may read and that are not
 * this process's to shut. Throws QueueError `unavailable` when another process has the directory.
 */
export function lockDirectory(dir: string, onLoose: (files: readonly string[]) => void = () => {}): () => void {
  try {
    const loose = privateFolder(dir);
    if (loose.length > 0) onLoose(loose);
  } catch {
    throw new QueueError("unavailable", "the queue directory cannot be created");
  }
  const file = join(dir, "queue.lock");
  const lock = () => {
    privateFile(file);
    const db = new DatabaseSync(file);
    try {
      // With its journal in memory nothing is written: the disk may be full.
      db.exec("PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  };
  let db: DatabaseSync;
  try {
    db = lock();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode ?? 0;
    if ((code & 255) === 5) throw new QueueError("unavailable", "another process uses the queue directory");
    if ((code & 255) !== 26) throw new QueueError("unavailable", "the queue directory cannot be written");
    rmSync(file, { force: true });
    db = lock();
  }
  return () => db.close();
}
