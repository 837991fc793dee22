/** What comes into the embedded queue, and whom it is handed to. */

import { type Chunk, type Consumer, type Handle, QueueError } from "../queue.ts";
import { admitAll, refuse } from "./admit.ts";
import { type Core, laneOf } from "./core.ts";
import type { Flusher } from "./flush.ts";
import { closeSlots, dispatch } from "./handout.ts";
import type { Care } from "./heal.ts";
import type { Rec, Slot } from "./lane.ts";
import { unreadable } from "./reading.ts";
import { armTimer, enlist } from "./window.ts";

/** Resolves when all chunks are written. Rejects with QueueError. */
export async function push(core: Core, care: Care, flusher: Flusher, chunks: readonly Chunk[]): Promise<void> {
  if (core.closed) throw new QueueError("closed", "the queue is closed");
  care.check(chunks);
  const recs: Rec[] = [];
  try {
    admitAll(core, chunks, (rec) => recs.push(rec));
  } catch (error) {
    for (const rec of recs) refuse(core, rec);
    throw unreadable(core, error);
  }
  // A double of a chunk that is being written is as safe as that chunk: it waits for it.
  if (recs.length === 0 && !flusher.busy()) return;
  core.batch.pushed.push(...recs);
  const written = new Promise<void>((resolve, reject) => core.batch.waiters.push({ resolve, reject }));
  for (const rec of recs) enlist(core, rec);
  core.schedule();
  for (const lane of new Set(recs.map((r) => r.lane))) dispatch(core, lane);
  await written;
}

/** The lane's items go to the handler, `parallel` at a time. */
export function consume(core: Core, flusher: Flusher, name: string, handle: Handle, parallel: number): Consumer {
  const lane = laneOf(core, name);
  const slot: Slot = { handle, parallel, inHand: 0, paused: false, closed: false, recs: new Set() };
  lane.slots.push(slot);
  armTimer(core, lane);
  setImmediate(() => dispatch(core, lane));
  return {
    pause: () => {
      slot.paused = true;
    },
    resume: () => {
      slot.paused = false;
      dispatch(core, lane);
    },
    close: async (deadlineMs) => {
      await closeSlots(core, [slot], deadlineMs);
      const at = lane.slots.indexOf(slot);
      if (at >= 0) lane.slots.splice(at, 1);
      if (!core.closed) await flusher.settled();
      dispatch(core, lane);
    },
  };
}
