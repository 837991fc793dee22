import { type FileHandle, open, stat } from "node:fs/promises";
import { isMarked, type Mark } from "./mark.ts";
import { findMarked, listRotated, type Rotated, rotationState } from "./rotated.ts";

/** A rotated file with something left to read; without `from` all of it. */
export interface Remainder {
  readonly file: Rotated;
  readonly from?: Mark;
}

export interface Located {
  /** In the order in which they were written. */
  readonly older: readonly Remainder[];
  /** The file that has the name now: absent while there is none. `from`: it is the one that was read last. */
  readonly current?: { readonly inode: number; readonly from?: Mark; readonly empty: boolean };
  /** The file that was read last is not found, nor a copy of it: what was written to it since is lost. */
  readonly gap: boolean;
  /** `rotationState` of the files that were looked through; absent: none were. */
  readonly seen?: string;
}

/**
 * Where reading goes on: in the marked file if it still has the name, else in what became of it, then in those that
 * were rotated after it, then in the one that has the name. `finished`: the marked file was read to its end.
 */
export const locate = async (path: string, marks: readonly Mark[], finished: boolean): Promise<Located> => {
  const last = marks.at(-1);
  const named = await nameHolder(path, last);
  const current = named && { current: named };
  if (!last) return { older: [], ...current, gap: false };
  const rotated = await listRotated(path);
  const earlier = finished ? [] : await grown(rotated, marks.slice(0, -1));
  if (named?.from) return { older: earlier, current: named, gap: false };
  const found = await findMarked(rotated, last);
  const rest = found && !finished ? [{ file: found, from: last }] : [];
  const later = await unseen(rotated, found, marks);
  return { older: [...earlier, ...rest, ...later], ...current, gap: !found && !finished, seen: rotationState(rotated) };
};

const nameHolder = async (path: string, mark: Mark | undefined): Promise<Located["current"]> => {
  const file: FileHandle | undefined = (await stat(path).catch(() => undefined))?.isFile()
    ? await open(path).catch(missing)
    : undefined;
  if (!file) return undefined;
  try {
    const { size, ino: inode } = await file.stat();
    return { inode, empty: size === 0, ...(mark && (await isMarked(file, mark)) && { from: mark }) };
  } finally {
    await file.close();
  }
};

/** Gone since it was looked at; any other fault is the caller's to tell. */
const missing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== "ENOENT") throw error;
};

/** Files that were read before the last one and were written to after that: their writer had them open. */
const grown = async (rotated: readonly Rotated[], marks: readonly Mark[]): Promise<Remainder[]> => {
  const found: Remainder[] = [];
  for (const mark of marks) {
    const file = await findMarked(rotated, mark);
    if (file && !file.gzip && (await stat(file.path).catch(() => undefined))?.size !== mark.offset)
      found.push({ file, from: mark });
  }
  return found;
};

/** Rotated after the last file that was read, and not read themselves. */
const unseen = async (
  rotated: readonly Rotated[],
  last: Rotated | undefined,
  marks: readonly Mark[],
): Promise<Remainder[]> => {
  const since = last?.modifiedMs ?? marks.at(-1)?.modifiedMs ?? 0;
  const at = last?.named ? rotated.indexOf(last) : -1;
  const later = rotated.filter((file, i) => file.named && (at >= 0 ? i > at : file.modifiedMs >= since));
  const known = await Promise.all(marks.map((mark) => findMarked(later, mark)));
  return later.filter((file) => !known.includes(file)).map((file) => ({ file }));
};
