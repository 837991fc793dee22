import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isGzip } from "../../src/audit/unzip.ts";
import { isMarked, isMarkedInside, type Mark } from "./mark.ts";

/** A file that once had the followed name, as it is called now. */
export interface Rotated {
  readonly path: string;
  readonly inode: number;
  readonly modifiedMs: number;
  readonly gzip: boolean;
  /** Its name says what it is (`audit.log.1`, `audit-2026-11-27T10-00-00.log.gz`); else it was found by its content. */
  readonly named: boolean;
}

/** `.1`, `-20261127`, `-2026-11-27T10-00-00.000` and the like. */
const stamp = String.raw`[.-]\d[\dTZ:_.+-]*`;

/** What rotation makes of a name: logrotate (`audit.log.1`, `audit.log-20261127`), kube-apiserver (`audit-<time>.log`). */
const namePattern = (name: string): RegExp => {
  const dot = name.lastIndexOf(".");
  const [stem, ext] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  return new RegExp(
    `^(?:${RegExp.escape(name)}${stamp}|${RegExp.escape(stem)}${stamp}${RegExp.escape(ext)})(?:\\.gz)?$`,
  );
};

/** Names passed on while files were looked for: what was found may stand for others by now. */
export class Rotating extends Error {
  override readonly name = "Rotating";
}

/** Opens the file if it is still the one that was found. Throws Rotating. */
export const openFound = async (path: string, inode: number): Promise<FileHandle> => {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new Rotating("gone") : error;
  });
  if ((await file.stat()).ino === inode) return file;
  await file.close();
  throw new Rotating("another file");
};

/** The files beside `path` that may have been it, oldest first. Throws Rotating when they change meanwhile. */
export const listRotated = async (path: string): Promise<readonly Rotated[]> => {
  const [first, second] = [await listOnce(path), await listOnce(path)];
  if (stateOf(first) !== stateOf(second)) throw new Rotating("names are passing on");
  return second;
};

const stateOf = (files: readonly Rotated[]): string => files.map((file) => `${file.path} ${file.inode}`).join("\n");

/** The names that rotation gave, and what has them: the same text as long as nothing was rotated. */
export const rotationState = (files: readonly Rotated[]): string => stateOf(files.filter((file) => file.named));

const listOnce = async (path: string): Promise<readonly Rotated[]> => {
  // Of a link, beside what it leads to; rotated files may have either name.
  const real = await realpath(path).catch(() => path);
  const folder = dirname(real);
  const name = basename(real);
  const patterns = [namePattern(name), namePattern(basename(path))];
  const isNamed = (other: string): boolean => patterns.some((pattern) => pattern.test(other));
  const names = await readdir(folder).catch((): string[] => []);
  const found = await Promise.all(
    names.filter((other) => other !== name).map((other) => look(join(folder, other), isNamed(other))),
  );
  // Beside its original a compressed file is still being written.
  const whole = (one: Rotated | undefined): one is Rotated =>
    one !== undefined && !(one.gzip && names.includes(basename(one.path).slice(0, -".gz".length)));
  return found.filter(whole).toSorted(byAge(name));
};

const look = async (path: string, named: boolean): Promise<Rotated | undefined> => {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const gzip = named && path.endsWith(".gz") && isGzip(await firstTwo(path));
  return { path, inode: found.ino, modifiedMs: found.mtimeMs, gzip, named };
};

const firstTwo = async (path: string): Promise<Buffer> => {
  const file = await open(path).catch(() => undefined);
  try {
    return (await file?.read(Buffer.alloc(2), 0, 2, 0))?.buffer ?? Buffer.alloc(0);
  } finally {
    await file?.close();
  }
};

/** `.2` is older than `.1`, an earlier time in the name than a later one; else the time of the last write tells. */
const byAge =
  (name: string) =>
  (a: Rotated, b: Rotated): number => {
    const [first, second] = [ageIn(name, a), ageIn(name, b)];
    if (first.turn !== undefined && second.turn !== undefined) return second.turn - first.turn;
    if (first.time && second.time) return first.time < second.time ? -1 : 1;
    return a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1);
  };

const ageIn = (name: string, { path, named }: Rotated): { readonly turn?: number; readonly time?: string } => {
  const plain = basename(path).replace(/\.gz$/, "");
  const turn = new RegExp(`^${RegExp.escape(name)}\\.(\\d{1,6})$`).exec(plain)?.[1];
  if (turn !== undefined) return { turn: Number(turn) };
  // A date at the least: a shorter number may count up or down.
  return named && plain.replaceAll(/\D/g, "").length >= 8 ? { time: plain } : {};
};

/**
 * The file among `files` that a mark was made in: by inode first, then by content, for what was copied or compressed.
 * Files whose name says nothing count by inode only.
 */
export const findMarked = async (files: readonly Rotated[], mark: Mark): Promise<Rotated | undefined> => {
  const likely = files.toSorted((a, b) => Number(b.inode === mark.inode) - Number(a.inode === mark.inode));
  for (const file of likely) if ((file.named || file.inode === mark.inode) && (await holds(file, mark))) return file;
  return undefined;
};

const holds = async ({ path, gzip }: Rotated, mark: Mark): Promise<boolean> => {
  if (gzip) return isMarkedInside(path, mark);
  const file = await open(path).catch(() => undefined);
  try {
    return file !== undefined && (await isMarked(file, mark));
  } finally {
    await file?.close();
  }
};
