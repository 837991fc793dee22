/** Hands a Redis lane's jobs to a consumer, and keeps the worker alive through whatever happens to Redis. */

import { type Job, WaitingError } from "bullmq";
import { type Grant, type Memory, weightOf } from "../memory.ts";
import type { Consumer, Handle } from "../queue.ts";
import { openTurns } from "../turns.ts";
import { lengthOf } from "./body.ts";
import { codeWord, type RedisClient } from "./connect.ts";
import type { Forgetting } from "./forget.ts";
import { holderOf, type JobData } from "./lane.ts";
import { openRation } from "./ration.ts";
import { type SettleFacts, settle } from "./settle.ts";
import { within } from "./within.ts";
import { startWorker } from "./worker.ts";

export interface ConsumeFacts extends SettleFacts {
  readonly client: RedisClient;
  readonly prefix: string;
  /** A worker that fetched nothing for this long while jobs wait is replaced. */
  readonly stuckMs: number;
  /** Resolves when the deaths that this process found at its start are counted. */
  readonly deathsCounted: Promise<void>;
  readonly memory: Memory;
  readonly forgetting: Forgetting;
  replaced(lane: string): void;
}

/** How often delays are looked at that are longer than they may be. */
const sweepMs = 5_000;

/** Hands the lane's items to `handle`, so many at a time, until it is closed. */
export const consumeRedis = (facts: ConsumeFacts, handle: Handle, parallel: number): Consumer => {
  const consumer = new RedisConsumer(facts, handle, parallel);
  return {
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
    close: (deadlineMs) => consumer.close(deadlineMs),
  };
};

class RedisConsumer implements Consumer {
  readonly #facts: ConsumeFacts;
  readonly #handle: Handle;
  readonly #parallel: number;
  readonly #inHand = new Map<Job<JobData>, string>();
  readonly #turns = openTurns();
  readonly #grants = new WeakMap<Job<JobData>, Promise<Grant | undefined>>();
  readonly #ration: ReturnType<typeof openRation>;
  readonly #watchdog: NodeJS.Timeout;
  readonly #renewal: NodeJS.Timeout;
  readonly #sweep: NodeJS.Timeout;
  #worker: ReturnType<typeof startWorker>;
  #closed = false;
  #paused = false;
  #lastFetch = performance.now();
  #idle: (() => void) | undefined;

  constructor(facts: ConsumeFacts, handle: Handle, parallel: number) {
    this.#facts = facts;
    this.#handle = handle;
    this.#parallel = parallel;
    this.#ration = openRation(facts.memory, parallel, (jobs) => {
      this.#worker.concurrency = jobs;
    });
    this.#worker = this.#start();
    this.#watchdog = setInterval(() => void this.#watch(), Math.max(50, facts.stuckMs / 2)).unref();
    this.#renewal = setInterval(() => void this.#renew(), facts.lockMs / 3).unref();
    this.#sweep = setInterval(() => void this.#pullBack(), sweepMs).unref();
    void this.#pullBack();
  }

  #start() {
    const { client, prefix, lane, lockMs, clock } = this.#facts;
    const made = startWorker(
      { client, prefix, lane, lockMs, parallel: this.#parallel, time: clock.now, fetched: (job) => this.#fetched(job) },
      (job, token) => this.#work(job, token),
    );
    made.on("error", (error) => this.#facts.log("warn", `queue: worker of ${this.#facts.lane}: ${codeWord(error)}`));
    made.on("completed", ({ id = "", data }) =>
      this.#facts.forgetting.done(this.#facts.lane, holderOf(this.#facts.lane, id), data),
    );
    made.on("active", () => {
      this.#lastFetch = performance.now();
    });
    return made;
  }

  async #renew() {
    const jobs = [...this.#inHand];
    if (jobs.length === 0) return;
    const ids = jobs.map(([job]) => job.id ?? "");
    await this.#worker
      .getBackend()
      .extendLocks(
        ids,
        jobs.map(([, token]) => token),
        this.#facts.lockMs,
      )
      .catch(() => {});
  }

  async #pullBack() {
    await this.#facts.clock.agreed;
    try {
      const lane = await this.#facts.open(this.#facts.lane);
      while (!this.#closed && (await lane.pullBack(this.#facts.clock.now())) === 100);
      if (!this.#closed) await lane.state.sweep();
    } catch {
      // Redis is away: later.
    }
  }

  async #watch() {
    if (
      this.#closed ||
      this.#paused ||
      this.#inHand.size >= this.#parallel ||
      performance.now() - this.#lastFetch < this.#facts.stuckMs
    )
      return;
    if (this.#facts.client.status !== "ready" && this.#facts.client.status !== "connect") return;
    try {
      const lane = await this.#facts.open(this.#facts.lane);
      if ((await lane.waiting()) === 0 || this.#closed || performance.now() - this.#lastFetch < this.#facts.stuckMs)
        return;
    } catch {
      return;
    }
    this.#lastFetch = performance.now();
    const old = this.#worker;
    this.#worker = this.#start();
    this.#facts.replaced(this.#facts.lane);
    // What the old one still has in hand is finished by it; it takes nothing more.
    old.pause(true).catch(() => {});
    const end = () => void old.close(true).catch(() => {});
    if (this.#inHand.size === 0) end();
    else setTimeout(end, this.#facts.lockMs).unref();
  }

  #askMemory({ data }: Job<JobData>) {
    return this.#ration.enter(weightOf(lengthOf(data), data.n));
  }

  /** Before another is fetched. */
  #fetched(job: Job<JobData>) {
    this.#grants.set(job, this.#askMemory(job));
  }

  async #work(job: Job<JobData>, token?: string): Promise<void> {
    this.#lastFetch = performance.now();
    this.#inHand.set(job, token ?? "");
    let entered = false;
    let grant: Grant | undefined;
    try {
      grant = await (this.#grants.get(job) ?? this.#askMemory(job));
      if (!grant) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const deaths = await this.#deathsOf(job);
      await this.#turns.enter(deaths > 0);
      entered = true;
      await settle({
        facts: this.#facts,
        handle: this.#handle,
        job,
        token: token ?? "",
        deaths,
        worker: () => this.#worker,
        closed: () => this.#closed,
        ended: this.#ration.ended,
      });
    } finally {
      if (entered) this.#turns.leave();
      this.#ration.leave(grant);
      this.#inHand.delete(job);
      if (this.#inHand.size === 0) this.#idle?.();
    }
  }

  /** Only a job that was in hand when a process died can have killed one. */
  async #deathsOf(job: Job<JobData>): Promise<number> {
    if (job.stalledCounter <= (job.data.s ?? 0)) return 0;
    await this.#facts.deathsCounted;
    return (await this.#facts.open(this.#facts.lane)).deaths(job.id ?? "");
  }

  pause(): void {
    this.#paused = true;
    this.#worker.pause(true).catch(() => {});
  }

  resume(): void {
    this.#paused = false;
    this.#lastFetch = performance.now();
    this.#worker.resume().catch(() => {});
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ration.close();
    for (const timer of [this.#watchdog, this.#sweep]) clearInterval(timer);
    await within(Math.min(deadlineMs, 1000), this.#worker.pause(true));
    if (this.#inHand.size > 0) {
      const done = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      await within(deadlineMs, done);
    }
    const alive = this.#facts.client.status === "ready" || this.#facts.client.status === "connect";
    // Given back by hand an item is there at once, and its return is not counted as a process death.
    // The first to be handed out goes back last, in front of the others.
    const back = [...this.#inHand].reverse().map(([job, token]) => job.moveToWait(token).catch(() => {}));
    if (alive) await within(1000, Promise.all(back));
    clearInterval(this.#renewal);
    if (alive) await within(1000, this.#facts.forgetting.flush());
    await within(2000, this.#worker.close(this.#inHand.size > 0 || !alive));
  }
}
