import type { Queue } from "../queue/queue.ts";
import type { Incoming } from "../sdk/event.ts";
import { type AlertSettings, decodeAlerts } from "./alert-in.ts";
import { alertLines, encodeAlert } from "./codec.ts";
import type { Counts } from "./counts.ts";
import { encodeEvent, eventLines } from "./event-lines.ts";
import { openGroupCommit } from "./group-commit.ts";
import { alertLane, eventLane } from "./lanes.ts";
import { markOwnTest } from "./own-test.ts";

/** What became of the values of a body. */
export interface BodyOutcome {
  readonly accepted: number;
  /** What was refused, by its place in the body, and why. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
  /** How many were refused, by cause; absent: those that are named, as `invalid`. */
  readonly refused?: Readonly<Record<string, number>>;
}

/** The door: everything that resolves here is durable. */
export interface Intake {
  /** One POST body of Falco alerts; `ownTest`: the hub made them to try its outputs. Rejects with QueueError when nothing durable is left to write to. */
  alerts(text: string, ownTest?: boolean): Promise<BodyOutcome>;
  /** Audit events of a source, by its id. */
  events(source: string, events: readonly Incoming[]): Promise<void>;
  /** Resolves when what came so far is written. */
  idle(): Promise<void>;
}

/** What intake is made of. */
export interface IntakeParts {
  /** Writes chunks of events, and of alerts, to the lanes in front. */
  readonly push: Queue["push"];
  /** Writes chunks of alerts in another way: where this process also delivers, `walkAtTheDoor`. */
  readonly pushAlerts?: Queue["push"];
  readonly settings: AlertSettings;
  readonly counts: Pick<Counts, "accepted" | "posted">;
  readonly driver: "sqlite" | "redis";
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How long a chunk may fill under load, milliseconds: a Redis job costs more than a row and is worth waiting for company. */
const lingerMs = { sqlite: 2, redis: 5 };

/** Bounds of a chunk. */
const bounds = { maxEvents: 500, maxBytes: 1 << 20 };

export const openIntake = (parts: IntakeParts): Intake => {
  const { push, pushAlerts = push, settings, counts, now } = parts;
  const limits = { ...bounds, lingerMs: lingerMs[parts.driver] };
  const alertGroup = openGroupCommit(pushAlerts, { lane: alertLane, codec: alertLines, ...limits }, now);
  const eventGroup = openGroupCommit(push, { lane: eventLane, codec: eventLines, ...limits }, now);
  return {
    alerts: async (text, ownTest) => {
      const { alerts, rejected, refused } = decodeAlerts(text, settings);
      if (ownTest) markOwnTest(alerts);
      if (alerts.length > 0) {
        await alertGroup.add(alerts.map(encodeAlert), alerts);
        counts.posted(alerts);
      }
      return { accepted: alerts.length, rejected, refused };
    },
    events: async (source, events) => {
      await eventGroup.add(events.map(encodeEvent), events);
      counts.accepted(source, events.length);
    },
    idle: async () => {
      await alertGroup.idle();
      await eventGroup.idle();
    },
  };
};
