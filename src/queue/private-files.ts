/** Folders and files that nobody but their owner may read: alerts name users, commands and hosts. */

import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const folderMode = 0o700;
const fileMode = 0o600;
const others = 0o077;
const everybody = 0o007;

/**
 * Makes the folder, and those above it that are missing, or takes the others' rights from it and from what is in it. Returns
 * what they could not be taken from. Throws the system's error when there can be no such folder.
 */
export function privateFolder(dir: string): readonly string[] {
  mkdirSync(dir, { recursive: true, mode: folderMode });
  return tighten(dir, folderMode);
}

/** Makes the file with these rights when it is missing: SQLite gives its companions those of the database. */
export function privateFile(path: string): void {
  closeSync(openSync(path, "a", fileMode));
}

function tighten(path: string, mode: number): readonly string[] {
  const loose: string[] = [];
  try {
    if ((statSync(path).mode & others) !== 0) chmodSync(path, mode);
  } catch {
    loose.push(path);
  }
  if (mode !== folderMode) return loose;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) loose.push(...tighten(inner, folderMode));
    else if (entry.isFile()) loose.push(...tighten(inner, fileMode));
  }
  return loose;
}

/** Names of what the hub keeps in its data directory. */
const own = /^(?:queue|spill|spill-worker|checkpoints|history)$/;

/**
 * The data directory itself, which the user chose: made, or tightened when all in it is the hub's own. False: others may
 * look into it, and only what is inside is shut.
 */
export function privateDataFolder(dir: string): boolean {
  let mode = 0;
  try {
    mkdirSync(dir, { recursive: true, mode: folderMode });
    // What an older hub left open is shut before anything is written.
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory() && own.test(entry.name)) tighten(join(dir, entry.name), folderMode);
    mode = statSync(dir).mode & others;
    if (mode === 0) return true;
    if (!readdirSync(dir).every((name) => own.test(name) || name === "lost+found")) return false;
    chmodSync(dir, folderMode);
    return true;
  } catch {
    // Not there: whoever opens the queue in it says what is wrong. Not ours: Kubernetes gives a volume to the pod's group.
    return (mode & everybody) === 0;
  }
}
