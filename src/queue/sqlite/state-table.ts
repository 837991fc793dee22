/** The table of state by lane and key, and every statement that touches it. */

import type { DatabaseSync } from "node:sqlite";

/** `expires`: in the queue's clock, 0: never; `wait`: the milliseconds that it was given. */
export interface StateRow {
  readonly version: number;
  readonly expires: number;
  readonly wait: number;
  readonly value: string;
}

export type StateTable = ReturnType<typeof openStateTable>;

export function openStateTable(db: DatabaseSync) {
  const read = db.prepare("SELECT version, expires, wait, value FROM state WHERE lane=? AND key=?");
  const put = db.prepare("INSERT OR REPLACE INTO state VALUES(?,?,?,?,?,?)");
  const drop = db.prepare("DELETE FROM state WHERE lane=? AND key=?");
  const dropExpired = db.prepare(
    "DELETE FROM state WHERE (lane, key) IN (SELECT lane, key FROM state WHERE expires>0 AND expires<=? LIMIT ?)",
  );
  const pullBack = db.prepare("UPDATE state SET expires=?+wait WHERE expires>?+wait");
  const newest = db.prepare("SELECT coalesce(max(version), 0) AS version FROM state");
  return {
    read: (lane: number, key: string) => read.get(lane, key) as unknown as StateRow | undefined,
    put: (lane: number, key: string, { version, expires, wait, value }: StateRow) =>
      void put.run(lane, key, version, expires, wait, value),
    drop: (lane: number, key: string) => void drop.run(lane, key),
    /** Of those that have expired, so many at most. */
    dropExpired: (now: number, most: number) => void dropExpired.run(now, most),
    /** Nothing stays longer than it was told to by a clock that was set back since. */
    pullBack: (now: number) => void pullBack.run(now, now),
    newest: () => Number(newest.get()?.version ?? 0),
  };
}
