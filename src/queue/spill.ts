/**
 * Redis with the embedded queue behind it. What Redis refuses or does not answer is kept on the local disk and moved
 * to Redis, in the order it came, as soon as Redis takes it: an outage costs no event and refuses none.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { RedisQueue } from "./bullmq.ts";
import { type Chunk, type Consumer, type Queue, QueueError } from "./queue.ts";

export interface SpillHooks {
  /** Events written to the local disk instead of Redis. */
  readonly onSpill?: (events: number) => void;
  /** Events moved from the local disk to Redis. */
  readonly onDrain?: (events: number) => void;
  /** Redis went away (true) or came back (false). */
  readonly onOutage?: (away: boolean) => void;
  /** Between attempts to reach Redis. Default 250. */
  readonly retryMs?: number;
}

/** Dead letters of the spill that a list may go on behind. */
const ownLetters = 1000;

/** Takes both queues over: closing it closes them. Rejects with the embedded queue's error. */
export async function openSpillingQueue(redis: RedisQueue, local: Queue, hooks: SpillHooks = {}): Promise<Queue> {
  const drains = new Map<string, Consumer>();
  const retryMs = hooks.retryMs ?? 250;
  let [spilled, away, closed] = [0, false, false];

  const setAway = (value: boolean) => {
    if (away !== value) hooks.onOutage?.(value);
    away = value;
  };

  const drain = (lane: string) => {
    if (drains.has(lane)) return;
    const move = async (item: Chunk) => {
      for (;;) {
        if (closed) throw new QueueError("closed", "the queue is closed");
        try {
          await redis.push([item]);
          break;
        } catch {
          setAway(true);
          await sleep(retryMs);
        }
      }
      setAway(false);
      spilled -= item.count;
      hooks.onDrain?.(item.count);
      return {};
    };
    // One at a time keeps the order.
    drains.set(lane, local.consume(lane, move, 1));
  };

  for (const lane of await local.lanes()) {
    const { waiting, active, delayed } = await local.depth(lane);
    spilled += waiting + active + delayed;
    drain(lane);
  }

  const spill = async (chunks: readonly Chunk[]) => {
    const events = chunks.reduce((sum, c) => sum + c.count, 0);
    await local.push(chunks);
    spilled += events;
    hooks.onSpill?.(events);
    for (const c of chunks) drain(c.lane);
  };

  return {
    async push(chunks) {
      if (closed) throw new QueueError("closed", "the queue is closed");
      if (away) {
        // What waits on the disk is what asks whether Redis is back.
        if (spilled > 0) return spill(chunks);
        setAway(false);
      }
      try {
        await redis.push(chunks);
      } catch (error) {
        if (error instanceof QueueError && error.kind === "closed") throw error;
        setAway(true);
        await spill(chunks);
      }
    },
    consume: (lane, handle, parallel) => redis.consume(lane, handle, parallel),
    during: redis.during,
    async depth(lane) {
      const [there, here] = await Promise.all([redis.depth(lane), local.depth(lane)]);
      const times = [there.oldestAt, here.oldestAt].filter((t) => t !== undefined);
      return {
        waiting: there.waiting + here.waiting + here.active,
        active: there.active,
        delayed: there.delayed + here.delayed,
        dead: there.dead + here.dead,
        ...(times.length > 0 ? { oldestAt: Math.min(...times) } : {}),
      };
    },
    lanes: async () => [...new Set([...(await redis.lanes()), ...(await local.lanes())])],
    // The spill has letters of its own: chunks that were in hand at five deaths of the process.
    async dead(lane, limit, after) {
      const own = after === undefined ? undefined : (await local.dead(lane, ownLetters)).find((l) => l.id === after);
      const there = own ? [] : await redis.dead(lane, limit, after);
      return [...there, ...(await local.dead(lane, limit - there.length, own?.id))];
    },
    async redrive(lane, ids) {
      const before = await local.depth(lane);
      const here = await local.redrive(lane, ids);
      if (here > 0) {
        spilled += before.dead - (await local.depth(lane)).dead;
        drain(lane);
      }
      return here + (await redis.redrive(lane, ids));
    },
    discard: async (lane, ids) => (await local.discard(lane, ids)) + (await redis.discard(lane, ids)),
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
      await Promise.all([...drains.values()].map((d) => d.close(0)));
      await redis.close();
      await local.close();
    },
  };
}
