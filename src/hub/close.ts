import type { Logger } from "pino";
import type { HubServer } from "../http/server.ts";
import type { Metadata } from "../pipeline/enrich/metadata.ts";
import type { Intake } from "../pipeline/intake.ts";
import { frontLanes, outputLane } from "../pipeline/lanes.ts";
import type { Consumer, Queue } from "../queue/queue.ts";
import type { OpenOutput } from "./outputs.ts";

/** What a running hub has open. */
export interface Open {
  readonly server: HubServer;
  readonly sources: readonly { close(): Promise<void> }[];
  readonly intake: Intake;
  readonly queue: Queue;
  readonly outputs: readonly OpenOutput[];
  readonly workers: readonly Consumer[];
  readonly metadata: Pick<Metadata, "close"> | undefined;
}

/** Front to back: nothing new comes in while what is inside moves on. `ticks`: milliseconds that only go forward. */
export const closeInOrder = async (open: Open, deadlineMs: number, ticks: () => number, log: Logger): Promise<void> => {
  const end = ticks() + deadlineMs;
  const left = (): number => Math.max(0, end - ticks());
  open.server.drain();
  await Promise.all([...open.sources.map((s) => s.close()), open.server.close(left())]);
  await open.intake.idle();
  if (open.outputs.length > 0) await drained(open, left, log);
  await Promise.all(open.workers.map((w) => w.close(Math.min(left(), 1000))));
  const rest = Math.min(left(), 1000);
  await Promise.all(open.outputs.map((o) => Promise.all([o.delivery.close(rest), o.consumer.close(rest)])));
  await Promise.all([open.metadata?.close(), open.queue.close()]);
};

/**
 * Waits until nothing is due in any lane. What waits for a retry keeps waiting in the queue, and so does what waits for a
 * destination that is down (its breaker is not closed): the next start delivers it.
 */
const drained = async (open: Open, left: () => number, log: Logger): Promise<void> => {
  const lanes = [
    ...frontLanes.map((lane) => ({ lane, down: () => false })),
    ...open.outputs.map(({ id, delivery }) => ({
      lane: outputLane(id),
      down: () => delivery.state().breaker !== "closed",
    })),
  ];
  const waiting = "shutting down with events in the queue; they are delivered after the next start";
  for (;;) {
    const depths = await Promise.allSettled(lanes.map(({ lane }) => open.queue.depth(lane)));
    let [due, later] = [0, 0];
    for (const [i, depth] of depths.entries()) {
      if (depth.status === "rejected") return log.warn("shutting down while the queue does not answer");
      const events = depth.value.waiting + depth.value.active;
      if (lanes[i]?.down()) later += events;
      else due += events;
    }
    if (due === 0 || left() === 0) {
      if (due + later > 0) log.warn({ events: due + later }, waiting);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};
