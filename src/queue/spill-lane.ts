/** What one lane has on the local disk, and whether it goes to Redis or is delivered from where it is. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Consumer, type Handle, type Item, type Queue, QueueError, type Settlement } from "./queue.ts";

export interface SpilledLane {
  /** What is pushed to the lane belongs on the disk, too. */
  onDisk(): boolean;
  /** Something waits for Redis, and finds out when it is back. */
  moving(): boolean;
  /** Delivers from the disk, until nothing is left there. Without a consumer in this process it is as before. */
  stay(): void;
  /** The consumer of the lane was paused, resumed or replaced. */
  changed(): void;
  close(): Promise<void>;
}

export interface LaneConsumer {
  readonly handle: Handle;
  readonly parallel: number;
  paused: boolean;
}

export interface SpilledLaneParts {
  readonly lane: string;
  readonly local: Queue;
  /** Rejects with QueueError. */
  readonly toRedis: (item: Item) => Promise<void>;
  /** The lane's consumer in this process. */
  readonly consumer: () => LaneConsumer | undefined;
  readonly children: (settlement: Settlement) => Promise<Settlement>;
  /** Redis refused an item for this reason. */
  readonly refused: (kind: QueueError["kind"]) => void;
  /** Events are no longer on the disk: they were moved to Redis, or settled. */
  readonly gone: (events: number) => void;
  readonly retryMs: number;
}

const emptyCheckMs = 1_000;
/** An item in hand is never taken from its handler, but at the end. */
const patience = 2 ** 30;

export function openSpilledLane(parts: SpilledLaneParts): SpilledLane {
  const { lane, local, consumer } = parts;
  const consumers = new Set<Consumer>();
  let here: Consumer | undefined;
  let check: NodeJS.Timeout | undefined;
  let inMove = 0;
  let closed = false;

  const consume = (handle: Handle, parallel: number): Consumer => {
    const opened = local.consume(lane, handle, parallel);
    consumers.add(opened);
    return opened;
  };
  const end = (opened: Consumer, deadlineMs: number) =>
    opened.close(deadlineMs).finally(() => consumers.delete(opened));

  const deliver = async (item: Item): Promise<Settlement> => {
    const now = consumer();
    if (!now) throw new QueueError("unavailable", "nobody here delivers the lane");
    const told = await now.handle(item);
    if (told.state?.length) throw new QueueError("unavailable", "the lane's state is in Redis: the item waits for it");
    const settlement = await parts.children(told);
    parts.gone(item.count - (settlement.retry?.count ?? 0));
    return settlement;
  };

  const move: Handle = async (item) => {
    inMove++;
    try {
      for (;;) {
        if (closed) throw new QueueError("closed", "the queue is closed");
        try {
          await parts.toRedis(item);
          parts.gone(item.count);
          return {};
        } catch (error) {
          const kind = error instanceof QueueError ? error.kind : "unavailable";
          parts.refused(kind);
          if (kind === "full") stay();
          if (here) break;
        }
        await sleep(parts.retryMs);
      }
    } finally {
      inMove--;
    }
    return deliver(item);
  };
  // One at a time keeps the order.
  let mover = consume(move, 1);

  function stay() {
    const now = consumer();
    if (here || !now || closed) return;
    here = consume(deliver, now.parallel);
    if (now.paused) here.pause();
    void end(mover, patience);
    check = setInterval(() => void leaveWhenEmpty(), emptyCheckMs).unref();
  }

  function leave() {
    clearInterval(check);
    const old = here;
    here = undefined;
    if (!old || closed) return;
    mover = consume(move, 1);
    void end(old, patience);
  }

  async function leaveWhenEmpty() {
    const { waiting, active, delayed } = await local.depth(lane);
    if (here && waiting + active + delayed === 0) leave();
  }

  return {
    onDisk: () => here !== undefined,
    moving: () => inMove > 0 && here === undefined,
    stay,
    changed: () => {
      const now = consumer();
      if (!now) leave();
      else if (now.paused) here?.pause();
      else here?.resume();
    },
    close: async () => {
      closed = true;
      clearInterval(check);
      await Promise.all([...consumers].map((opened) => opened.close(0)));
    },
  };
}
