import { read } from "../queue/codec.ts";
import { childIds } from "../queue/ids.ts";
import type { Consumer, Item, Queue } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import type { Incoming } from "../sdk/event.ts";
import { alertLines } from "./codec.ts";
import { eventLines } from "./event-lines.ts";
import { alertLane, eventLane } from "./lanes.ts";
import { type Route, routeAlerts } from "./route.ts";

/** What a chunk of events is known by, however often it is handed out. */
export type ChunkFacts = Pick<Item, "id" | "at">;

export interface WorkerPorts {
  readonly queue: Queue;
  /** Asked for every chunk, so that a reload takes effect at once. */
  readonly routes: () => readonly Route[];
  /** Evaluates the rules; absent: no rules are loaded and audit events end here. */
  readonly judge?: (events: readonly Incoming[], chunk: ChunkFacts) => readonly Alert[];
  readonly parallel: number;
}

/** Consumes both lanes and routes into one lane per output; a chunk and its children are settled in one step. */
export const startWorker = (ports: WorkerPorts): readonly Consumer[] => [
  ports.queue.consume(
    alertLane,
    async (item) => ({ next: childIds(routeAlerts(item, read(item, alertLines), ports.routes())) }),
    ports.parallel,
  ),
  ports.queue.consume(
    eventLane,
    async (item) => {
      const alerts = ports.judge?.(read(item, eventLines), item) ?? [];
      return alerts.length === 0
        ? {}
        : { next: childIds(routeAlerts({ id: item.id, at: item.at }, alerts, ports.routes())) };
    },
    ports.parallel,
  ),
];
