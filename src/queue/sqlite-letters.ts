/** Dead letters of the embedded queue and the limits on what it stores. */

import { type Chunk, QueueError } from "./queue.ts";
import { type Core, laneOf } from "./sqlite-core.ts";
import { dispatch, enlist } from "./sqlite-handout.ts";
import { recOf } from "./sqlite-lane.ts";
import type { LetterRow, LetterSize } from "./sqlite-store.ts";

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
  /** Makes room when dead letters take more than their quarter. */
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
  const trimmer = createTrimmer(core, maxBytes / 4);
  /** Bytes of the push that was refused last: while they do not fit the queue is full. */
  let wanted = 0;
  const trim = () => {
    // Only when the file is a quarter full at all can the letters be.
    if (used() < maxBytes / 4 || !trimmer()) return;
    measuredAt = Number.NEGATIVE_INFINITY;
  };
  return {
    check: (chunks) => {
      let bytes = 0;
      for (const chunk of chunks) bytes += chunk.body.length;
      // The dead must not keep out the living.
      if (used() + bytes > maxBytes) trim();
      wanted = used() + bytes > maxBytes ? bytes : 0;
      if (wanted > 0) throw new QueueError("full", "the queue has reached its size limit");
    },
    isFull: () => !core.closed && used() + wanted > maxBytes,
    trim,
  };
}

/**
 * Drops dead letters until they fit into `share` bytes: those first that no room would ever be enough for, then the oldest,
 * as many as need be and no more. True when it dropped any.
 */
function createTrimmer(core: Core, share: number): () => boolean {
  const dead = () => [...core.lanes.values()].reduce((sum, l) => sum + l.dead, 0);
  let seen = dead();
  let dropped = 0;

  const drop = (letters: readonly LetterSize[]) => {
    core.store.begin();
    try {
      for (const letter of letters) core.store.dropLetter(letter.seq);
      core.store.commit();
    } catch {
      core.store.rollback();
      throw new QueueError("unavailable", "dead letters cannot be dropped now");
    }
    for (const letter of letters) {
      dropped += letter.count;
      const lane = [...core.lanes.values()].find((l) => l.key === letter.lane);
      if (!lane) continue;
      lane.dead -= letter.count;
      core.dropped(lane.name, letter.count);
    }
    const text = "dead letters were dropped to keep room for the living";
    const at = core.warnings.findIndex((w) => w.endsWith(text));
    if (at >= 0) core.warnings.splice(at, 1);
    core.warnings.push(`${dropped} events in ${text}`);
  };

  return () => {
    const now = dead();
    const grew = now > seen;
    seen = now;
    let over = grew ? core.store.deadBytes() - share : 0;
    if (over <= 0) return false;
    const large = core.store.lettersAbove(share);
    if (large.length > 0) drop(large);
    for (const { size } of large) over -= size;
    while (over > 0) {
      const page = core.store.oldestLetters();
      if (page.length === 0) break;
      const needed = page.findIndex((_, i) => page.slice(0, i + 1).reduce((sum, l) => sum + l.size, 0) >= over) + 1;
      const letters = needed > 0 ? page.slice(0, needed) : page;
      drop(letters);
      for (const { size } of letters) over -= size;
    }
    seen = dead();
    return true;
  };
}
