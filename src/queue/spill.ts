/**
 * Redis with the embedded queue behind it. What Redis refuses or does not answer is kept on the local disk and moved
 * to Redis, in the order it came, as soon as Redis takes it: an outage costs no event and refuses none. While Redis is full,
 * lanes that are consumed here are delivered from the disk, and those that do not move are taken out of Redis.
 */

import type { Consumer, Handle, Queue, QueueStatus } from "./queue.ts";
import type { RedisQueue } from "./redis/driver.ts";
import { type Evacuation, openEvacuation } from "./spill-evacuate.ts";
import { SpillIntake } from "./spill-intake.ts";
import type { LaneConsumer } from "./spill-lane.ts";

export interface SpillHooks {
  /** Redis does not take what it is given (true), since it is full or for another reason, or takes it again (false). */
  readonly onOutage?: (away: boolean, full: boolean) => void;
  /** Between attempts to reach Redis. Default 250. */
  readonly retryMs?: number;
  /** A lane of a full Redis from which nothing was delivered for so long moves to the disk. Default 5000. */
  readonly stillMs?: number;
}

interface Parts {
  readonly redis: RedisQueue;
  readonly local: Queue;
  readonly intake: SpillIntake;
  readonly evacuation: Evacuation;
}

/** Dead letters of the spill that a list may go on behind. */
const ownLetters = 1000;

/** Takes both queues over: closing it closes them. Rejects with the embedded queue's error. */
export async function openSpillingQueue(redis: RedisQueue, local: Queue, hooks: SpillHooks = {}): Promise<Queue> {
  const { onOutage = () => {}, retryMs = 250, stillMs = 5_000 } = hooks;
  const intake = new SpillIntake({ redis, local, onOutage, retryMs });
  await intake.resume();
  const evacuation = openEvacuation({
    redis,
    consumed: () => intake.settledHere(),
    take: async (lane, item) => {
      intake.stay(lane);
      // Redis remembers the id as done: under it the item could never come back there.
      await intake.spill([{ ...item, id: `${item.id}+` }]);
    },
    stillMs,
  });
  const parts: Parts = { redis, local, intake, evacuation };
  return {
    push: (chunks) => intake.push(chunks),
    consume: (lane, handle, parallel) => consume(parts, lane, handle, parallel),
    during: (items, work) =>
      intake.anyOnDisk() ? local.during(items, () => redis.during(items, work)) : redis.during(items, work),
    state: (lane) => {
      intake.keepsState(lane);
      return redis.state(lane);
    },
    ...figuresOf(parts),
    ...lettersOf(parts),
    ...(local.originals && { originals: local.originals }),
    status: () => statusOf(parts),
    close: async () => {
      if (intake.isClosed()) return;
      intake.shut();
      await evacuation.close();
      await intake.closeLanes();
      await redis.close();
      await local.close();
    },
  };
}

function consume({ redis, intake, evacuation }: Parts, lane: string, handle: Handle, parallel: number): Consumer {
  const known: LaneConsumer = { handle, parallel, paused: false };
  intake.consumed(lane, known);
  evacuation.progressed(lane);
  const work: Handle = async (item) => {
    const settlement = await handle(item);
    const { next, retry } = settlement;
    if ((retry?.count ?? 0) < item.count) evacuation.progressed(lane);
    // Nothing of it may happen before its state stands in Redis.
    if (settlement.state?.length || !next?.some((c) => intake.onDisk(c.lane))) return settlement;
    await intake.spill(next.filter((c) => intake.onDisk(c.lane)));
    return { ...settlement, next: next.filter((c) => !intake.onDisk(c.lane)) };
  };
  const inner = redis.consume(lane, work, parallel, (chunks) => intake.spill(chunks));
  return {
    pause: () => {
      intake.pause(lane, known, true);
      inner.pause();
    },
    resume: () => {
      intake.pause(lane, known, false);
      inner.resume();
    },
    close: async (deadlineMs) => {
      intake.left(lane, known);
      await inner.close(deadlineMs);
    },
  };
}

const figuresOf = ({ redis, local, intake }: Parts): Pick<Queue, "depth" | "lanes"> => ({
  async depth(lane) {
    const [there, here] = await Promise.all([redis.depth(lane), local.depth(lane)]);
    const times = [there.oldestAt, here.oldestAt].filter((t) => t !== undefined);
    // What is being moved is in nobody's hand.
    const inHand = intake.onDisk(lane) ? here.active : 0;
    return {
      waiting: there.waiting + here.waiting + here.active - inHand,
      active: there.active + inHand,
      delayed: there.delayed + here.delayed,
      dead: there.dead + here.dead,
      ...(times.length > 0 ? { oldestAt: Math.min(...times) } : {}),
    };
  },
  lanes: async () => [...new Set([...(await redis.lanes()), ...(await local.lanes())])],
});

/** The spill has letters of its own: what was delivered from the disk, or could not be read there. */
const lettersOf = ({ redis, local, intake }: Parts): Pick<Queue, "dead" | "redrive" | "discard"> => ({
  async dead(lane, limit, after) {
    const own = after === undefined ? undefined : (await local.dead(lane, ownLetters)).find((l) => l.id === after);
    const there = own ? [] : await redis.dead(lane, limit, after);
    return [...there, ...(await local.dead(lane, limit - there.length, own?.id))];
  },
  async redrive(lane, ids, steps = {}) {
    const before = await local.depth(lane);
    const here = await local.redrive(lane, ids, steps);
    if (here > 0) intake.found(lane, before.dead - (await local.depth(lane)).dead);
    if (steps.signal?.aborted) return here;
    const moved = (letters: number) => steps.moved?.(here + letters);
    return here + (await redis.redrive(lane, ids, { ...steps, moved }));
  },
  async discard(lane, ids, steps = {}) {
    const here = await local.discard(lane, ids, steps);
    if (steps.signal?.aborted) return here;
    const moved = (letters: number) => steps.moved?.(here + letters);
    return here + (await redis.discard(lane, ids, { ...steps, moved }));
  },
});

function statusOf({ redis, local, intake }: Parts): QueueStatus {
  const [there, here] = [redis.status(), local.status()];
  return {
    driver: "redis",
    writable: !intake.isClosed() && (there.writable || here.writable),
    durable: there.durable,
    warnings: [...there.warnings, ...here.warnings],
    spilled: intake.spilled(),
    ...(here.damaged && { damaged: here.damaged }),
  };
}
