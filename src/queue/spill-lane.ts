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

export const openSpilledLane = (parts: SpilledLaneParts): SpilledLane => new LaneOnDisk(parts);

class LaneOnDisk implements SpilledLane {
  readonly #parts: SpilledLaneParts;
  /** Of the local queue, with those that are ending. */
  readonly #consumers = new Set<Consumer>();
  readonly #move: Handle = (item) => this.#moveOrDeliver(item);
  readonly #deliver: Handle = (item) => this.#settleHere(item);
  #mover: Consumer;
  /** Delivers from the disk. */
  #here: Consumer | undefined;
  #check: NodeJS.Timeout | undefined;
  #inMove = 0;
  #closed = false;

  constructor(parts: SpilledLaneParts) {
    this.#parts = parts;
    this.#mover = this.#startMover();
  }

  onDisk(): boolean {
    return this.#here !== undefined;
  }

  moving(): boolean {
    return this.#inMove > 0 && this.#here === undefined;
  }

  stay(): void {
    const now = this.#parts.consumer();
    if (this.#here || !now || this.#closed) return;
    this.#here = this.#consume(this.#deliver, now.parallel);
    if (now.paused) this.#here.pause();
    void this.#end(this.#mover);
    this.#check = setInterval(() => void this.#leaveWhenEmpty(), emptyCheckMs).unref();
  }

  changed(): void {
    const now = this.#parts.consumer();
    if (!now) this.#leave();
    else if (now.paused) this.#here?.pause();
    else this.#here?.resume();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#check);
    await Promise.all([...this.#consumers].map((opened) => opened.close(0)));
  }

  #leave(): void {
    clearInterval(this.#check);
    const old = this.#here;
    this.#here = undefined;
    if (!old || this.#closed) return;
    this.#mover = this.#startMover();
    void this.#end(old);
  }

  async #leaveWhenEmpty(): Promise<void> {
    const { waiting, active, delayed } = await this.#parts.local.depth(this.#parts.lane);
    if (this.#here && waiting + active + delayed === 0) this.#leave();
  }

  async #moveOrDeliver(item: Item): Promise<Settlement> {
    const parts = this.#parts;
    this.#inMove++;
    try {
      for (;;) {
        if (this.#closed) throw new QueueError("closed", "the queue is closed");
        try {
          await parts.toRedis(item);
          parts.gone(item.count);
          return {};
        } catch (error) {
          const kind = error instanceof QueueError ? error.kind : "unavailable";
          parts.refused(kind);
          if (kind === "full") this.stay();
          if (this.#here) break;
        }
        await sleep(parts.retryMs);
      }
    } finally {
      this.#inMove--;
    }
    return this.#settleHere(item);
  }

  async #settleHere(item: Item): Promise<Settlement> {
    const { consumer, children, gone } = this.#parts;
    const now = consumer();
    if (!now) throw new QueueError("unavailable", "nobody here delivers the lane");
    const told = await now.handle(item);
    if (told.state?.length) throw new QueueError("unavailable", "the lane's state is in Redis: the item waits for it");
    const settlement = await children(told);
    gone(item.count - (settlement.retry?.count ?? 0));
    return settlement;
  }

  /** One at a time keeps the order. */
  #startMover(): Consumer {
    return this.#consume(this.#move, 1);
  }

  #consume(handle: Handle, parallel: number): Consumer {
    const opened = this.#parts.local.consume(this.#parts.lane, handle, parallel);
    this.#consumers.add(opened);
    return opened;
  }

  #end(opened: Consumer): Promise<void> {
    return opened.close(patience).finally(() => this.#consumers.delete(opened));
  }
}
