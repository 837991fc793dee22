/** Takes lanes that do not move out of a Redis that is full, so that the others have room. */

import type { Consumer, Item } from "./queue.ts";
import type { RedisQueue } from "./redis/driver.ts";

export interface Evacuation {
  /** Something of the lane was delivered. */
  progressed(lane: string): void;
  close(): Promise<void>;
}

export interface EvacuationParts {
  readonly redis: Pick<RedisQueue, "consume" | "depth" | "isFull">;
  /** Lanes that this process delivers. */
  readonly consumed: () => Iterable<string>;
  /** Keeps an item on the disk. */
  readonly take: (lane: string, item: Item) => Promise<void>;
  readonly stillMs: number;
}

const parallel = 4;

export function openEvacuation({ redis, consumed, take, stillMs }: EvacuationParts): Evacuation {
  const progress = new Map<string, number>();
  const takers = new Map<string, Consumer>();
  let looking = false;

  const stop = async (lane: string) => {
    const taker = takers.get(lane);
    takers.delete(lane);
    await taker?.close(1_000);
  };

  const look = async () => {
    if (looking) return;
    looking = true;
    try {
      if (!redis.isFull()) await Promise.all([...takers.keys()].map(stop));
      else
        for (const lane of consumed()) {
          if (takers.has(lane) || performance.now() - (progress.get(lane) ?? 0) < stillMs) continue;
          const { waiting, delayed } = await redis.depth(lane);
          if (waiting + delayed === 0) continue;
          const keep = async (item: Item) => {
            await take(lane, item);
            return {};
          };
          takers.set(lane, redis.consume(lane, keep, parallel));
        }
    } catch {
      // Redis does not answer: the next look tells.
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), Math.max(50, stillMs / 2)).unref();

  return {
    progressed: (lane) => void progress.set(lane, performance.now()),
    close: async () => {
      clearInterval(timer);
      await Promise.all([...takers.keys()].map(stop));
    },
  };
}
