import type { Depth, QueueStatus } from "../queue/queue.ts";
import type { Families } from "./families.ts";

/** What waits. */
export interface QueueMetrics {
  /** One durable write of the queue. */
  push(seconds: number): void;
  redisWatchdogRestart(): void;
}

/** A lane as it is at a scrape. */
export interface LaneState {
  readonly lane: string;
  readonly depth: Depth;
}

interface QueueScrape {
  readStatus(status: QueueStatus): void;
  /** All lanes: one that is no more is no more shown. */
  readLanes(lanes: readonly LaneState[]): void;
}

const laneStates = ["waiting", "active", "delayed", "dead"] as const;

/** `now`: milliseconds since the epoch. */
export const createQueueMetrics = (
  { counter, gauge, histogram }: Families,
  now: () => number,
): QueueMetrics & QueueScrape => {
  const pushes = histogram(
    "eyrie_push_seconds",
    "Duration of one durable write to the queue.",
    [],
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  ).cell();
  const restarts = counter(
    "eyrie_redis_watchdog_restarts_total",
    "Consumers restarted because they had stalled.",
  ).cell();
  const depth = gauge("eyrie_lane_events", "Events in a lane by state.", ["lane", "state"]);
  const age = gauge("eyrie_lane_oldest_age_seconds", "Age of a lane's oldest event that is not settled.", ["lane"]);
  const durable = gauge("eyrie_queue_durable", "1: an accepted event survives a crash.");
  const writable = gauge("eyrie_queue_writable", "1: the queue takes events.");
  const damaged = gauge("eyrie_queue_damaged_bytes", "Size of the damaged queue files that are kept.");
  const lost = gauge("eyrie_queue_lost_events", "Events that kept damaged files could not give back.", ["lane"]);
  const spilled = gauge("eyrie_spill_events", "Events in the local spill, waiting for Redis.");
  return {
    push: (seconds) => pushes.observe(seconds),
    redisWatchdogRestart: () => restarts.add(1),
    readStatus: (status) => {
      durable.set(Number(status.durable));
      writable.set(Number(status.writable));
      spilled.set(status.spilled ?? 0);
      damaged.set(status.damaged?.bytes ?? 0);
      lost.reset();
      for (const [lane, events] of Object.entries(status.damaged?.lost ?? {})) lost.set({ lane }, events);
    },
    readLanes: (lanes) => {
      depth.reset();
      age.reset();
      for (const { lane, depth: found } of lanes) {
        for (const state of laneStates) depth.set({ lane, state }, found[state]);
        const since = found.oldestAt === undefined ? 0 : Math.max(0, now() - found.oldestAt) / 1000;
        age.set({ lane }, since);
      }
    },
  };
};
