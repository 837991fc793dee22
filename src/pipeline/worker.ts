import { childIds } from "../queue/ids.ts";
import type { Consumer, Item, Queue } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import type { Incoming } from "../sdk/event.ts";
import { decodeAlert } from "./codec.ts";
import { decodeEvent } from "./event-lines.ts";
import { type Route, routeAlerts } from "./route.ts";

/** Lane of alerts that are decided, and of audit events that the rules have yet to judge. */
export const alertLane = "alerts";
export const eventLane = "events";

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

export const alertsOf = (item: Item): readonly Alert[] =>
  (item.live as readonly Alert[] | undefined) ?? decodeAlertLines(item.body);

export const decodeAlertLines = (body: string): readonly Alert[] =>
  body === "" ? [] : body.split("\n").map(decodeAlert);

const eventsOf = (item: Item): readonly Incoming[] =>
  (item.live as readonly Incoming[] | undefined) ?? item.body.split("\n").map(decodeEvent);

/** Consumes both lanes and routes into one lane per output; a chunk and its children are settled in one step. */
export const startWorker = (ports: WorkerPorts): readonly Consumer[] => [
  ports.queue.consume(
    alertLane,
    async (item) => ({ next: childIds(routeAlerts(item, alertsOf(item), ports.routes())) }),
    ports.parallel,
  ),
  ports.queue.consume(
    eventLane,
    async (item) => {
      const alerts = ports.judge?.(eventsOf(item), item) ?? [];
      return alerts.length === 0
        ? {}
        : { next: childIds(routeAlerts({ id: item.id, at: item.at }, alerts, ports.routes())) };
    },
    ports.parallel,
  ),
];
