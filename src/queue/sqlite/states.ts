/**
 * State by key: what stands in the file, and before it what settlements of this process say that are still to be written.
 * Whether a settlement may change what it has read is looked at when it is made, and once more when it is written: by then
 * what it was built upon stands in the file, or the version there is another one.
 */

import type { StateChange, StateEntry } from "../state.ts";
import type { StateRow, StateTable } from "./state-table.ts";

/** A change with the version that it will have. */
export interface Staged {
  readonly lane: number;
  readonly key: string;
  /** The version that the file must have; undefined: any. */
  readonly expected: number | undefined;
  readonly version: number;
  /** Undefined: the key is deleted. */
  readonly row: StateRow | undefined;
}

export type States = ReturnType<typeof createStates>;

/** Expired keys that are taken away at a time. */
const sweepSize = 1000;

/** `newest`: the largest version in the file. */
export function createStates(table: () => StateTable, clock: () => number, newest: number) {
  let version = newest;
  /** The last change of each key that is still to be written. */
  const pending = new Map<string, Staged>();
  const nameOf = (lane: number, key: string) => `${lane} ${key}`;
  const alive = (row: StateRow | undefined) => (row && (row.expires === 0 || row.expires > clock()) ? row : undefined);

  const look = (lane: number, key: string): StateRow | undefined => {
    const staged = pending.get(nameOf(lane, key));
    return alive(staged ? staged.row : table().read(lane, key));
  };

  return {
    read: (lane: number, key: string): StateEntry | undefined => {
      const row = look(lane, key);
      return row && { value: row.value, version: row.version };
    },
    /** From now on they are read, in the place of what is in the file. Undefined: what was read has changed since. */
    stage: (lane: number, changes: readonly StateChange[]): readonly Staged[] | undefined => {
      const stale = changes.some((c) => c.version !== undefined && (look(lane, c.key)?.version ?? 0) !== c.version);
      if (stale) return undefined;
      version++;
      return changes.map(({ key, value, expiresInMs, version: expected }) => {
        const wait = expiresInMs === undefined ? 0 : Math.max(1, Math.ceil(expiresInMs));
        const expires = wait === 0 ? 0 : Math.ceil(clock()) + wait;
        const row = value === undefined ? undefined : { version, expires, wait, value };
        const staged = { lane, key, expected, version, row };
        pending.set(nameOf(lane, key), staged);
        return staged;
      });
    },
    /** Within a transaction. False: what was read has changed since, and nothing is written. */
    write: (changes: readonly Staged[]): boolean => {
      const found = (lane: number, key: string) => alive(table().read(lane, key))?.version ?? 0;
      if (changes.some(({ lane, key, expected }) => expected !== undefined && found(lane, key) !== expected))
        return false;
      for (const { lane, key, row } of changes) row ? table().put(lane, key, row) : table().drop(lane, key);
      return true;
    },
    /** They stand in the file, or were refused: then what was built upon them is not read either. */
    ended: (changes: readonly Staged[], refused: boolean): void => {
      for (const { lane, key, version } of changes) {
        const name = nameOf(lane, key);
        if (refused || pending.get(name)?.version === version) pending.delete(name);
      }
    },
    /** Only what stands in the file is read. */
    forget: () => pending.clear(),
    /** Throws what the disk refuses. */
    sweep: () => table().dropExpired(clock(), sweepSize),
  };
}
