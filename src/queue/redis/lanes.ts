import type { RedisClient } from "./connect.ts";
import { type BullLane, type LetterBounds, openBullLane } from "./lane.ts";

/** The lanes that this process has open. */
export interface Lanes {
  /** Opens it at the first call; rejects when Redis does not answer, and a later call tries again. */
  open(name: string): Promise<BullLane>;
  close(): void;
}

/** `now`: the queue's time. */
export function openLanes(client: RedisClient, prefix: string, bounds: LetterBounds, now: () => number): Lanes {
  const lanes = new Map<string, Promise<BullLane>>();
  const openOne = async (name: string): Promise<BullLane> => {
    const lane = openBullLane(name, client, prefix, bounds, now);
    try {
      await lane.ready();
      // A full Redis takes no member, not even one that it has.
      if ((await client.sismember(`${prefix}:lanes`, name)) === 0) await client.sadd(`${prefix}:lanes`, name);
      return lane;
    } catch (error) {
      lane.close().catch(() => {});
      throw error;
    }
  };
  return {
    open: (name) => {
      const known = lanes.get(name);
      if (known) return known;
      const lane = openOne(name);
      lanes.set(name, lane);
      lane.catch(() => lanes.delete(name));
      return lane;
    },
    close: () => {
      for (const lane of lanes.values()) lane.then((l) => l.close()).catch(() => {});
    },
  };
}
