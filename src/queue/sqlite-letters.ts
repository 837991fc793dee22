/** Dead letters of the embedded queue and the limits on what it stores. */

import { type Chunk, QueueError } from "./queue.ts";
import { type Core, laneOf } from "./sqlite-core.ts";
import { dispatch, enlist } from "./sqlite-handout.ts";
import { recOf } from "./sqlite-lane.ts";
import type { LetterRow } from "./sqlite-store.ts";

/** Letters moved in one transaction. */
const moveBatch = 100;

/** Dead letters back into their lane (`again`) or away; all of the lane without ids. */
export function moveLetters(core: Core, name: string, ids: readonly string[] | undefined, again: boolean): number {
  const lane = core.lanes.get(name);
  if (!lane) return 0;
  let moved = 0;
  let from = 0;
  for (let at = 0; ; at += moveBatch) {
    const letters = ids
      ? ids.slice(at, at + moveBatch).flatMap((id) => core.store.letter(lane.key, id) ?? [])
      : core.store.letters(lane.key, from, moveBatch);
    if (ids ? at >= ids.length : letters.length === 0) return moved;
    from = letters.at(-1)?.seq ?? from;
    moved += moveSome(core, name, letters, again);
  }
}

function moveSome(core: Core, name: string, letters: readonly LetterRow[], again: boolean): number {
  const lane = laneOf(core, name);
  const { store } = core;
  const recs = again
    ? letters.map((l) => recOf(lane, ++core.seq, { lane: name, id: l.id, at: l.at, count: l.count, body: l.body }))
    : [];
  store.begin();
  try {
    for (const rec of recs) {
      rec.bodySeq = ++core.bodySeq;
      if (store.addItem(lane.key, rec, 0)) store.addBody(rec.bodySeq, lane.key, rec, rec.body ?? "");
      else rec.state = "gone";
    }
    for (const letter of letters) store.dropLetter(letter.seq);
    store.commit();
  } catch {
    store.rollback();
    throw new QueueError("unavailable", "dead letters cannot be moved now");
  }
  for (const letter of letters) lane.dead -= letter.count;
  for (const rec of recs) {
    if (rec.state === "gone") continue;
    rec.state = "stored";
    lane.total += rec.count;
    enlist(core, rec);
  }
  dispatch(core, lane);
  return letters.length;
}

export interface Limits {
  /** Throws QueueError `full` when the chunks would pass the size limit. */
  check(chunks: readonly Chunk[]): void;
  isFull(): boolean;
  /** Makes room when dead letters take more than their quarter; called after letters were written. */
  trim(): void;
}

export function createLimits(core: Core, maxBytes: number): Limits {
  let measured = 0;
  let measuredAt = Number.NEGATIVE_INFINITY;
  const used = () => {
    // The size moves slowly compared with pushes: a few reads a second are enough.
    if (core.clock() - measuredAt > 50) {
      measured = core.store.usedBytes();
      measuredAt = core.clock();
    }
    return measured;
  };
  let deadBytes = core.store.deadBytes();
  let seenDead = [...core.lanes.values()].reduce((sum, l) => sum + l.dead, 0);
  let dropped = 0;
  /** Bytes of the push that was refused last: while they do not fit the queue is full. */
  let wanted = 0;
  return {
    check: (chunks) => {
      let bytes = 0;
      for (const chunk of chunks) bytes += chunk.body.length;
      wanted = used() + bytes > maxBytes ? bytes : 0;
      if (wanted > 0) throw new QueueError("full", "the queue has reached its size limit");
    },
    isFull: () => !core.closed && used() + wanted > maxBytes,
    trim: () => {
      const dead = [...core.lanes.values()].reduce((sum, l) => sum + l.dead, 0);
      const grew = dead > seenDead;
      seenDead = dead;
      if (!grew) return;
      // Only when the file is a quarter full at all can the letters be.
      if (used() < maxBytes / 4) return;
      deadBytes = core.store.deadBytes();
      while (deadBytes > maxBytes / 4) {
        const oldest = core.store.oldestLetters();
        if (oldest.length === 0) return;
        core.store.begin();
        for (const letter of oldest) core.store.dropLetter(letter.seq);
        core.store.commit();
        for (const letter of oldest) {
          deadBytes -= letter.size;
          dropped += letter.count;
          const lane = [...core.lanes.values()].find((l) => l.key === letter.lane);
          if (lane) lane.dead -= letter.count;
        }
        const text = "oldest dead letters were dropped to keep room for the living";
        const at = core.warnings.findIndex((w) => w.endsWith(text));
        if (at >= 0) core.warnings.splice(at, 1);
        core.warnings.push(`${dropped} events in the ${text}`);
      }
    },
  };
}
