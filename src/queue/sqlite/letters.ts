/** Dead letters of the embedded queue. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { type LetterSteps, QueueError } from "../queue.ts";
import { type Core, laneOf } from "./core.ts";
import { arrived, lettersGone } from "./counters.ts";
import { dispatch } from "./handout.ts";
import { recOf } from "./lane.ts";
import type { LetterRow, LetterSize } from "./letter-table.ts";
import { enlist } from "./window.ts";

/** Letters moved in one transaction; between two of them whatever else waits has its turn. */
const moveBatch = 25;

/** Dead letters back into their lane (`again`) or away: those named, or all that the lane has now. */
export async function moveLetters(
  core: Core,
  name: string,
  ids: readonly string[] | undefined,
  again: boolean,
  { moved: tell, signal }: LetterSteps = {},
): Promise<number> {
  const lane = core.lanes.get(name);
  if (!lane) return 0;
  const last = core.store.lastLetter(lane.key);
  let moved = 0;
  let from = 0;
  for (let at = 0; ; at += moveBatch) {
    const letters = ids
      ? ids.slice(at, at + moveBatch).flatMap((id) => core.store.letter(lane.key, id) ?? [])
      : core.store.letters(lane.key, from, moveBatch).filter(({ seq }) => seq <= last);
    if (ids ? at >= ids.length : letters.length === 0) return moved;
    from = letters.at(-1)?.seq ?? from;
    moved += moveSome(core, name, letters, again);
    tell?.(moved);
    await nextTurn();
    if (signal?.aborted) return moved;
    if (core.closed) throw new QueueError("closed", "the queue is closed");
    if (core.sick) throw new QueueError("unavailable", "the queue file is damaged");
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
    for (const letter of letters) store.dropLetter(lane.key, letter);
    store.commit();
  } catch (error) {
    store.rollback();
    core.failed(error);
    throw new QueueError("unavailable", "dead letters cannot be moved now");
  }
  for (const letter of letters) lettersGone(lane, letter.count);
  lane.oldest = undefined;
  for (const rec of recs) {
    if (rec.state === "gone") continue;
    rec.state = "stored";
    arrived(lane, rec.count);
    enlist(core, rec);
  }
  dispatch(core, lane);
  return letters.length;
}

/**
 * Drops dead letters until they fit into `share` bytes: those first that no room would ever be enough for, then the oldest,
 * as many as need be and no more. True when it dropped any. Throws what the disk refuses.
 */
export function createTrimmer(core: Core, share: number): () => boolean {
  const dead = () => [...core.lanes.values()].reduce((sum, l) => sum + l.dead, 0);
  let seen = dead();
  let dropped = 0;

  const drop = (letters: readonly LetterSize[]) => {
    core.store.begin();
    try {
      for (const letter of letters) core.store.dropLetter(letter.lane, letter);
      core.store.commit();
    } catch (error) {
      core.store.rollback();
      throw error;
    }
    for (const letter of letters) {
      dropped += letter.count;
      const lane = [...core.lanes.values()].find((l) => l.key === letter.lane);
      if (!lane) continue;
      lettersGone(lane, letter.count);
      core.dropped(lane.name, letter.count);
    }
    const text = "dead letters were dropped to keep room for the living";
    const at = core.warnings.findIndex((w) => w.endsWith(text));
    if (at >= 0) core.warnings.splice(at, 1);
    core.warnings.push(`${dropped} events in ${text}`);
  };

  return () => {
    // Only when so much is in use at all can the letters be it.
    if (dead() <= seen || core.store.pages().used < share) return false;
    let over = core.store.deadBytes() - share;
    seen = dead();
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
