/**
 * Damaged queue files, kept beside the new one as `queue.db.corrupt-<time>` with their log and count until somebody
 * releases them. They are only ever read.
 */

import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Original, Originals } from "../queue.ts";
import { ledgerSuffixes } from "./ledger.ts";
import { fileSize } from "./wal.ts";

const companions = ["-wal", ...ledgerSuffixes] as const;
/** What reading it back came to; there when that is over. */
const report = "-report";

/** A link that names where the files are being moved to: it needs no space on a full disk. */
const marker = (path: string): string => `${path}.moving`;

/** Moves the queue's files aside and returns the new name. Whatever interrupts it, `finishMove` ends it. */
export function moveAside(path: string, stamp: number): string {
  const begun = finishMove(path);
  if (begun !== undefined) return begun;
  const taken = readdirSync(dirname(path));
  let name = `${path}.corrupt-${stamp}`;
  for (let n = 1; taken.some((file) => file.startsWith(basename(name))); n++) name = `${path}.corrupt-${stamp}-${n}`;
  symlinkSync(basename(name), marker(path));
  finishMove(path);
  return name;
}

/** Ends a move that was interrupted and returns the new name; undefined: there was none. */
export function finishMove(path: string): string | undefined {
  let name: string;
  try {
    name = join(dirname(path), readlinkSync(marker(path)));
  } catch {
    return undefined;
  }
  for (const suffix of companions) if (existsSync(path + suffix)) renameSync(path + suffix, name + suffix);
  rmSync(`${path}-shm`, { force: true });
  if (existsSync(path)) renameSync(path, name);
  // A file that was gone is kept as an empty one.
  else closeSync(openSync(name, "a", 0o600));
  rmSync(marker(path));
  return name;
}

/** Names of the damaged files that are kept, oldest first. */
export function keptAside(path: string): string[] {
  return readdirSync(dirname(path))
    .filter(
      (f) =>
        f.startsWith(`${basename(path)}.corrupt-`) &&
        ![...companions, report, `${report}.new`].some((s) => f.endsWith(s)),
    )
    .sort()
    .map((f) => join(dirname(path), f));
}

/** Bytes of a damaged file and what belongs to it. */
export const asideBytes = (name: string): number =>
  ["", ...companions].reduce((sum, suffix) => sum + fileSize(name + suffix), 0);

/** Undefined: it is still to be read back. */
export function readReport(name: string): Original["report"] {
  try {
    return JSON.parse(readFileSync(name + report, "utf8")) as Original["report"];
  } catch {
    return undefined;
  }
}

/** Throws what the disk refuses. */
export function writeReport(name: string, content: NonNullable<Original["report"]>): void {
  writeFileSync(`${name}${report}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${name}${report}.new`, name + report);
}

/** Those beside the queue file `path`, whether somebody has it open or not. */
export const originalsOf = (path: string): Originals => {
  const list = () =>
    keptAside(path).map((name): Original => {
      const since = Number(/\.corrupt-(\d+)/.exec(name)?.[1] ?? 0);
      const said = readReport(name);
      return { name: basename(name), bytes: asideBytes(name), since, ...(said && { report: said }) };
    });
  return {
    list: async () => list(),
    release: async (names) => {
      const chosen = list().filter((original) => original.report && names.includes(original.name));
      for (const { name } of chosen) {
        const file = join(dirname(path), name);
        // The report last: a file without one would be read back again.
        for (const suffix of [...companions, "", `${report}.new`, report]) await rm(file + suffix, { force: true });
      }
      return chosen;
    },
  };
};
