/**
 * Redis with the embedded queue behind it. What Redis refuses or does not answer is kept on the local disk and moved
 * to Redis, in the order it came, as soon as Redis takes it: an outage costs no event and refuses none. While Redis is full,
 * lanes that are consumed here are delivered from the disk, and those that do not move are taken out of Redis.
 */

import { type Chunk, type Handle, type Queue, QueueError, type Settlement } from "./queue.ts";
import type { RedisQueue } from "./redis/driver.ts";
import { openEvacuation } from "./spill-evacuate.ts";
import { type LaneConsumer, openSpilledLane, type SpilledLane } from "./spill-lane.ts";

export interface SpillHooks {
  /** Redis does not take what it is given (true), since it is full or for another reason, or takes it again (false). */
  readonly onOutage?: (away: boolean, full: boolean) => void;
  /** Between attempts to reach Redis. Default 250. */
  readonly retryMs?: number;
  /** A lane of a full Redis from which nothing was delivered for so long moves to the disk. Default 5000. */
  readonly stillMs?: number;
}

/** Dead letters of the spill that a list may go on behind. */
const ownLetters = 1000;

/** Takes both queues over: closing it closes them. Rejects with the embedded queue's error. */
export async function openSpillingQueue(redis: RedisQueue, local: Queue, hooks: SpillHooks = {}): Promise<Queue> {
  const lanes = new Map<string, SpilledLane>();
  const consumed = new Map<string, LaneConsumer>();
  let spilled = 0;
  let outage: "full" | "unavailable" | undefined;
  let closed = false;

  const refused = (kind: QueueError["kind"]) => {
    const now = kind === "full" ? "full" : "unavailable";
    if (outage !== now) hooks.onOutage?.(true, now === "full");
    outage = now;
  };
  const taken = () => {
    // What is small may fit where the next does not.
    if (outage === undefined || (outage === "full" && redis.isFull())) return;
    outage = undefined;
    hooks.onOutage?.(false, false);
  };

  /** Lanes with state, which is in Redis: none of their items is settled from the disk. */
  const stateful = new Set<string>();

  const laneOf = (lane: string): SpilledLane => {
    const known = lanes.get(lane);
    if (known) return known;
    const opened = openSpilledLane({
      lane,
      local,
      toRedis: async (item) => {
        await redis.push([item]);
        taken();
      },
      consumer: () => (stateful.has(lane) ? undefined : consumed.get(lane)),
      children: async (settlement) => {
        const { next, ...rest } = settlement;
        if (next?.length) await push(next);
        return rest;
      },
      refused,
      gone: (events) => {
        spilled -= events;
      },
      retryMs: hooks.retryMs ?? 250,
    });
    lanes.set(lane, opened);
    return opened;
  };

  for (const lane of await local.lanes()) {
    const { waiting, active, delayed } = await local.depth(lane);
    spilled += waiting + active + delayed;
    laneOf(lane);
  }

  const spill = async (chunks: readonly Chunk[]) => {
    if (chunks.length === 0) return;
    const events = chunks.reduce((sum, c) => sum + c.count, 0);
    await local.push(chunks);
    spilled += events;
    for (const c of chunks) laneOf(c.lane);
  };
  const onDisk = (c: Chunk) => lanes.get(c.lane)?.onDisk() ?? false;

  const push = async (chunks: readonly Chunk[]) => {
    if (closed) throw new QueueError("closed", "the queue is closed");
    // What waits on the disk is what asks whether Redis is back.
    if (outage === "unavailable" && lanes.values().some((lane) => lane.moving())) return spill(chunks);
    const there = chunks.filter((c) => !onDisk(c));
    let left: readonly Chunk[] = [];
    try {
      if (there.length > 0) {
        await redis.push(there);
        taken();
      }
    } catch (error) {
      const kind = error instanceof QueueError ? error.kind : "unavailable";
      if (kind === "closed") throw error;
      refused(kind);
      left = kind === "full" ? await redis.missing(there) : there;
    }
    const kept = new Set(left);
    await spill(chunks.filter((c) => kept.has(c) || !there.includes(c)));
  };

  const evacuation = openEvacuation({
    redis,
    consumed: () => consumed.keys().filter((lane) => !stateful.has(lane)),
    take: async (lane, item) => {
      laneOf(lane).stay();
      // Redis remembers the id as done: under it the item could never come back there.
      await spill([{ ...item, id: `${item.id}+` }]);
    },
    stillMs: hooks.stillMs ?? 5_000,
  });

  return {
    push,
    consume(lane, handle, parallel) {
      const known: LaneConsumer = { handle, parallel, paused: false };
      consumed.set(lane, known);
      evacuation.progressed(lane);
      const work: Handle = async (item) => {
        const settlement: Settlement = await handle(item);
        const { next, retry } = settlement;
        if ((retry?.count ?? 0) < item.count) evacuation.progressed(lane);
        // Nothing of it may happen before its state stands in Redis.
        if (settlement.state?.length || !next?.some(onDisk)) return settlement;
        await spill(next.filter(onDisk));
        return { ...settlement, next: next.filter((c) => !onDisk(c)) };
      };
      const inner = redis.consume(lane, work, parallel, spill);
      const pause = (paused: boolean) => {
        known.paused = paused;
        lanes.get(lane)?.changed();
      };
      return {
        pause: () => {
          pause(true);
          inner.pause();
        },
        resume: () => {
          pause(false);
          inner.resume();
        },
        close: async (deadlineMs) => {
          if (consumed.get(lane) === known) consumed.delete(lane);
          lanes.get(lane)?.changed();
          await inner.close(deadlineMs);
        },
      };
    },
    during: (items, work) =>
      lanes.values().some((lane) => lane.onDisk())
        ? local.during(items, () => redis.during(items, work))
        : redis.during(items, work),
    // Read or changed once, it keeps the lane off the disk: what is there waits for Redis.
    state(lane) {
      if (!stateful.has(lane)) {
        stateful.add(lane);
        lanes.get(lane)?.changed();
      }
      return redis.state(lane);
    },
    async depth(lane) {
      const [there, here] = await Promise.all([redis.depth(lane), local.depth(lane)]);
      const times = [there.oldestAt, here.oldestAt].filter((t) => t !== undefined);
      // What is being moved is in nobody's hand.
      const inHand = lanes.get(lane)?.onDisk() ? here.active : 0;
      return {
        waiting: there.waiting + here.waiting + here.active - inHand,
        active: there.active + inHand,
        delayed: there.delayed + here.delayed,
        dead: there.dead + here.dead,
        ...(times.length > 0 ? { oldestAt: Math.min(...times) } : {}),
      };
    },
    lanes: async () => [...new Set([...(await redis.lanes()), ...(await local.lanes())])],
    // The spill has letters of its own: what was delivered from the disk, or could not be read there.
    async dead(lane, limit, after) {
      const own = after === undefined ? undefined : (await local.dead(lane, ownLetters)).find((l) => l.id === after);
      const there = own ? [] : await redis.dead(lane, limit, after);
      return [...there, ...(await local.dead(lane, limit - there.length, own?.id))];
    },
    async redrive(lane, ids, steps = {}) {
      const before = await local.depth(lane);
      const here = await local.redrive(lane, ids, steps);
      if (here > 0) {
        spilled += before.dead - (await local.depth(lane)).dead;
        laneOf(lane);
      }
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
    ...(local.originals && { originals: local.originals }),
    status() {
      const [there, here] = [redis.status(), local.status()];
      return {
        driver: "redis",
        writable: !closed && (there.writable || here.writable),
        durable: there.durable,
        warnings: [...there.warnings, ...here.warnings],
        spilled,
        ...(here.damaged && { damaged: here.damaged }),
      };
    },
    async close() {
      if (closed) return;
      closed = true;
      await evacuation.close();
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
      await redis.close();
      await local.close();
    },
  };
}
