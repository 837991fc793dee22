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

export function consumeRedis(facts: ConsumeFacts, handle: Handle, parallel: number): Consumer {
  const inHand = new Map<Job<JobData>, string>();
  const turns = openTurns();
  const grants = new WeakMap<Job<JobData>, Promise<Grant | undefined>>();
  const ration = openRation(facts.memory, parallel, (jobs) => {
    worker.concurrency = jobs;
  });
  let [closed, paused] = [false, false];
  let lastFetch = performance.now();
  let idle: (() => void) | undefined;
  let worker = start();
  const watchdog = setInterval(() => void watch(), Math.max(50, facts.stuckMs / 2)).unref();
  const renewal = setInterval(() => void renew(), facts.lockMs / 3).unref();
  const sweep = setInterval(() => void pullBack(), sweepMs).unref();
  void pullBack();

  function start() {
    const { client, prefix, lane, lockMs, clock } = facts;
    const made = startWorker({ client, prefix, lane, lockMs, parallel, time: clock.now, fetched }, work);
    made.on("error", (error) => facts.log("warn", `queue: worker of ${facts.lane}: ${codeWord(error)}`));
    made.on("completed", ({ id = "", data }) => facts.forgetting.done(facts.lane, holderOf(facts.lane, id), data));
    made.on("active", () => {
      lastFetch = performance.now();
    });
    return made;
  }

  async function renew() {
    const jobs = [...inHand];
    if (jobs.length === 0) return;
    const ids = jobs.map(([job]) => job.id ?? "");
    await worker
      .getBackend()
      .extendLocks(
        ids,
        jobs.map(([, token]) => token),
        facts.lockMs,
      )
      .catch(() => {});
  }

  async function pullBack() {
    await facts.clock.agreed;
    try {
      const lane = await facts.open(facts.lane);
      while (!closed && (await lane.pullBack(facts.clock.now())) === 100);
      if (!closed) await lane.state.sweep();
    } catch {
      // Redis is away: later.
    }
  }

  async function watch() {
    if (closed || paused || inHand.size >= parallel || performance.now() - lastFetch < facts.stuckMs) return;
    if (facts.client.status !== "ready" && facts.client.status !== "connect") return;
    try {
      const lane = await facts.open(facts.lane);
      if ((await lane.waiting()) === 0 || closed || performance.now() - lastFetch < facts.stuckMs) return;
    } catch {
      return;
    }
    lastFetch = performance.now();
    const old = worker;
    worker = start();
    facts.replaced(facts.lane);
    // What the old one still has in hand is finished by it; it takes nothing more.
    old.pause(true).catch(() => {});
    const end = () => void old.close(true).catch(() => {});
    if (inHand.size === 0) end();
    else setTimeout(end, facts.lockMs).unref();
  }

  function askMemory({ data }: Job<JobData>) {
    return ration.enter(weightOf(lengthOf(data), data.n));
  }

  /** Before another is fetched. */
  function fetched(job: Job<JobData>) {
    grants.set(job, askMemory(job));
  }

  async function work(job: Job<JobData>, token?: string): Promise<void> {
    lastFetch = performance.now();
    inHand.set(job, token ?? "");
    let entered = false;
    let grant: Grant | undefined;
    try {
      grant = await (grants.get(job) ?? askMemory(job));
      if (!grant) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const deaths = await deathsOf(job);
      await turns.enter(deaths > 0);
      entered = true;
      await settle({
        ...{ facts, handle, job, token: token ?? "", deaths, worker: () => worker, closed: () => closed },
        ended: ration.ended,
      });
    } finally {
      if (entered) turns.leave();
      ration.leave(grant);
      inHand.delete(job);
      if (inHand.size === 0) idle?.();
    }
  }

  /** Only a job that was in hand when a process died can have killed one. */
  async function deathsOf(job: Job<JobData>): Promise<number> {
    if (job.stalledCounter <= (job.data.s ?? 0)) return 0;
    await facts.deathsCounted;
    return (await facts.open(facts.lane)).deaths(job.id ?? "");
  }

  return {
    pause: () => {
      paused = true;
      worker.pause(true).catch(() => {});
    },
    resume: () => {
      paused = false;
      lastFetch = performance.now();
      worker.resume().catch(() => {});
    },
    close: async (deadlineMs) => {
      if (closed) return;
      closed = true;
      ration.close();
      for (const timer of [watchdog, sweep]) clearInterval(timer);
      await within(Math.min(deadlineMs, 1000), worker.pause(true));
      if (inHand.size > 0) {
        const done = new Promise<void>((resolve) => {
          idle = resolve;
        });
        await within(deadlineMs, done);
      }
      const alive = facts.client.status === "ready" || facts.client.status === "connect";
      // Given back by hand an item is there at once, and its return is not counted as a process death.
      // The first to be handed out goes back last, in front of the others.
      const back = [...inHand].reverse().map(([job, token]) => job.moveToWait(token).catch(() => {}));
      if (alive) await within(1000, Promise.all(back));
      clearInterval(renewal);
      if (alive) await within(1000, facts.forgetting.flush());
      await within(2000, worker.close(inHand.size > 0 || !alive));
    },
  };
}
