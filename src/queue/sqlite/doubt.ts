/** The transaction that may or may not stand when its owner died: what it brought and took is told by what is found. */

import type { Owed } from "./ledger.ts";

export type Doubt = ReturnType<typeof createDoubt>;

export function createDoubt(owed: Owed | undefined) {
  const key = (lane: number, seq: number) => `${lane} ${seq}`;
  const came = new Set<string>();
  const went = new Map<string, { lane: number; count: number }>();
  for (const { what, lane, seq, count } of owed?.doubt ?? []) {
    if (what === "add") came.add(key(lane, seq));
    else if (what !== "dead") went.set(key(lane, seq), { lane, count });
  }
  return {
    came: (lane: number, seq: number) => came.has(key(lane, seq)),
    found: (lane: number, seq: number) => void went.delete(key(lane, seq)),
    /** Gone for good: nobody owes them. */
    went: () => went.values(),
  };
}
