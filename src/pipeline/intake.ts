import { read } from "../queue/codec.ts";
import type { Chunk, Queue } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import type { Incoming } from "../sdk/event.ts";
import { type AlertSettings, decodeAlerts } from "./alert-in.ts";
import { alertLines, encodeAlert } from "./codec.ts";
import { encodeEvent, eventLines } from "./event-lines.ts";
import { openGroupCommit } from "./group-commit.ts";
import { alertLane, eventLane } from "./lanes.ts";
import { markOwnTest } from "./own-test.ts";
import { type Route, routeAlerts } from "./route.ts";

export interface Taken {
  readonly accepted: number;
  /** What was refused, by its place in the body, and why. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
  /** How many were refused, by cause. */
  readonly refused: Readonly<Record<string, number>>;
}

/** The door: everything that resolves here is durable. */
export interface Intake {
  /** One POST body of Falco alerts; `ownTest`: the hub made them to try its outputs. Rejects with QueueError when nothing durable is left to write to. */
  alerts(text: string, ownTest?: boolean): Promise<Taken>;
  /** Audit events of a source. */
  events(events: readonly Incoming[]): Promise<void>;
  idle(): Promise<void>;
}

export interface IntakeParts {
  readonly push: Queue["push"];
  readonly settings: AlertSettings;
  /** Told of alerts once they are durable. */
  readonly accepted: (alerts: readonly Alert[]) => void;
  /**
   * Present where this process also delivers: alerts go straight into the lanes of their outputs, in one push. Absent:
   * they go through the lane of alerts to whoever works.
   */
  readonly routes?: () => readonly Route[];
  /** How long a chunk may fill under load, milliseconds. */
  readonly lingerMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export const openIntake = ({ push, settings, accepted, routes, lingerMs, now }: IntakeParts): Intake => {
  const limits = { maxEvents: 500, maxBytes: 1 << 20, lingerMs };
  const pushRouted = async (chunks: readonly Chunk[]): Promise<void> => {
    const routed = chunks.flatMap((c) => routeAlerts(c, read(c, alertLines), routes?.() ?? []));
    if (routed.length > 0) await push(routed);
  };
  const alertGroup = openGroupCommit(
    routes ? pushRouted : push,
    { lane: alertLane, codec: alertLines, ...limits },
    now,
  );
  const eventGroup = openGroupCommit(push, { lane: eventLane, codec: eventLines, ...limits }, now);
  return {
    alerts: async (text, ownTest) => {
      const { alerts, rejected, refused } = decodeAlerts(text, settings);
      if (ownTest) markOwnTest(alerts);
      if (alerts.length > 0) {
        await alertGroup.add(alerts.map(encodeAlert), alerts);
        accepted(alerts);
      }
      return { accepted: alerts.length, rejected, refused };
    },
    events: (events) => eventGroup.add(events.map(encodeEvent), events),
    idle: async () => {
      await alertGroup.idle();
      await eventGroup.idle();
    },
  };
};
