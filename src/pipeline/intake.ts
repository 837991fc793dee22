import type { Queue } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import type { Incoming } from "../sdk/event.ts";
import { type AlertSettings, decodeAlerts } from "./alert-in.ts";
import { encodeAlert } from "./codec.ts";
import { encodeEvent } from "./event-lines.ts";
import { openGroupCommit } from "./group-commit.ts";
import { alertLane, eventLane } from "./worker.ts";

export interface Taken {
  readonly accepted: number;
  /** What was refused, by its place in the body, and why. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** The door: everything that resolves here is durable. */
export interface Intake {
  /** One POST body of Falco alerts. Rejects with QueueError when nothing durable is left to write to. */
  alerts(text: string): Promise<Taken>;
  /** Audit events of a source. */
  events(events: readonly Incoming[]): Promise<void>;
  idle(): Promise<void>;
}

const chunkLimits = { maxEvents: 500, maxBytes: 1 << 20, lingerMs: 2 };

export const openIntake = (
  queue: Queue,
  settings: AlertSettings,
  accepted: (alerts: readonly Alert[]) => void,
  now: () => number,
): Intake => {
  const push = queue.push.bind(queue);
  const alertGroup = openGroupCommit(push, { lane: alertLane, ...chunkLimits }, now);
  const eventGroup = openGroupCommit(push, { lane: eventLane, ...chunkLimits }, now);
  return {
    alerts: async (text) => {
      const { alerts, rejected } = decodeAlerts(text, settings);
      if (alerts.length > 0) {
        await alertGroup.add(alerts.map(encodeAlert), alerts);
        accepted(alerts);
      }
      return { accepted: alerts.length, rejected };
    },
    events: (events) => eventGroup.add(events.map(encodeEvent), events),
    idle: async () => {
      await alertGroup.idle();
      await eventGroup.idle();
    },
  };
};
