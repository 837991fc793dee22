/** Where what is pushed goes: to Redis, or to the disk while Redis does not take it. And what of it is on the disk. */

import { type Chunk, type Item, type Queue, QueueError, type Settlement } from "./queue.ts";
import type { RedisQueue } from "./redis/driver.ts";
import { type LaneConsumer, openSpilledLane, type SpilledLane } from "./spill-lane.ts";

export interface SpillIntakeParts {
  readonly redis: RedisQueue;
  readonly local: Queue;
  /** Redis does not take what it is given (true), since it is full or for another reason, or takes it again (false). */
  readonly onOutage: (away: boolean, full: boolean) => void;
  /** Between attempts to reach Redis. */
  readonly retryMs: number;
}

export class SpillIntake {
  readonly #parts: SpillIntakeParts;
  readonly #lanes = new Map<string, SpilledLane>();
  /** Consumers in this process. */
  readonly #consumed = new Map<string, LaneConsumer>();
  /** Lanes with state, which is in Redis: none of their items is settled from the disk. */
  readonly #stateful = new Set<string>();
  #spilled = 0;
  #outage: "full" | "unavailable" | undefined;
  #closed = false;

  constructor(parts: SpillIntakeParts) {
    this.#parts = parts;
  }

  /** Takes up what an earlier process has left on the disk. Rejects with the embedded queue's error. */
  async resume(): Promise<void> {
    const { local } = this.#parts;
    for (const lane of await local.lanes()) {
      const { waiting, active, delayed } = await local.depth(lane);
      this.found(lane, waiting + active + delayed);
    }
  }

  async push(chunks: readonly Chunk[]): Promise<void> {
    if (this.#closed) throw new QueueError("closed", "the queue is closed");
    // What waits on the disk is what asks whether Redis is back.
    if (this.#outage === "unavailable" && this.#lanes.values().some((lane) => lane.moving())) return this.spill(chunks);
    const { redis } = this.#parts;
    const there = chunks.filter((c) => !this.onDisk(c.lane));
    let left: readonly Chunk[] = [];
    try {
      if (there.length > 0) {
        await redis.push(there);
        this.#taken();
      }
    } catch (error) {
      const kind = error instanceof QueueError ? error.kind : "unavailable";
      if (kind === "closed") throw error;
      this.#refused(kind);
      left = kind === "full" ? await redis.missing(there) : there;
    }
    const kept = new Set(left);
    await this.spill(chunks.filter((c) => kept.has(c) || !there.includes(c)));
  }

  /** To the disk. */
  async spill(chunks: readonly Chunk[]): Promise<void> {
    if (chunks.length === 0) return;
    const events = chunks.reduce((sum, c) => sum + c.count, 0);
    await this.#parts.local.push(chunks);
    this.#spilled += events;
    for (const c of chunks) this.#laneOf(c.lane);
  }

  /** Events, on the disk and for Redis. */
  spilled(): number {
    return this.#spilled;
  }

  isClosed(): boolean {
    return this.#closed;
  }

  /** The lane is delivered from the disk. */
  onDisk(lane: string): boolean {
    return this.#lanes.get(lane)?.onDisk() ?? false;
  }

  /** Some lane is. */
  anyOnDisk(): boolean {
    return this.#lanes.values().some((lane) => lane.onDisk());
  }

  /** So many events of the lane are on the disk besides those that were pushed. */
  found(lane: string, events: number): void {
    this.#spilled += events;
    this.#laneOf(lane);
  }

  /** The lane is delivered from the disk from now on, where this process consumes it. */
  stay(lane: string): void {
    this.#laneOf(lane).stay();
  }

  /** Lanes that may be delivered from the disk. */
  settledHere(): Iterable<string> {
    return this.#consumed.keys().filter((lane) => !this.#stateful.has(lane));
  }

  /** State of the lane was read or changed: it stays off the disk, and what is there waits for Redis. */
  keepsState(lane: string): void {
    if (this.#stateful.has(lane)) return;
    this.#stateful.add(lane);
    this.#lanes.get(lane)?.changed();
  }

  consumed(lane: string, consumer: LaneConsumer): void {
    this.#consumed.set(lane, consumer);
  }

  pause(lane: string, consumer: LaneConsumer, paused: boolean): void {
    consumer.paused = paused;
    this.#lanes.get(lane)?.changed();
  }

  /** It consumes the lane no more. */
  left(lane: string, consumer: LaneConsumer): void {
    if (this.#consumed.get(lane) === consumer) this.#consumed.delete(lane);
    this.#lanes.get(lane)?.changed();
  }

  /** Nothing is taken from now on. */
  shut(): void {
    this.#closed = true;
  }

  async closeLanes(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }

  #laneOf(lane: string): SpilledLane {
    const known = this.#lanes.get(lane);
    if (known) return known;
    const opened = openSpilledLane({
      lane,
      local: this.#parts.local,
      toRedis: (item) => this.#toRedis(item),
      consumer: () => (this.#stateful.has(lane) ? undefined : this.#consumed.get(lane)),
      children: (settlement) => this.#children(settlement),
      refused: (kind) => this.#refused(kind),
      gone: (events) => {
        this.#spilled -= events;
      },
      retryMs: this.#parts.retryMs,
    });
    this.#lanes.set(lane, opened);
    return opened;
  }

  async #toRedis(item: Item): Promise<void> {
    await this.#parts.redis.push([item]);
    this.#taken();
  }

  /** Pushes the children of a settlement; what is left of it is the disk's to do. */
  async #children({ next, ...rest }: Settlement): Promise<Settlement> {
    if (next?.length) await this.push(next);
    return rest;
  }

  #refused(kind: QueueError["kind"]): void {
    const now = kind === "full" ? "full" : "unavailable";
    if (this.#outage !== now) this.#parts.onOutage(true, now === "full");
    this.#outage = now;
  }

  #taken(): void {
    // What is small may fit where the next does not.
    if (this.#outage === undefined || (this.#outage === "full" && this.#parts.redis.isFull())) return;
    this.#outage = undefined;
    this.#parts.onOutage(false, false);
  }
}
