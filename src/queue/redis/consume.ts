/** Hands a Redis lane's jobs to a consumer, and keeps the worker alive through whatever happens to Redis. */

import { DelayedError, type Job, WaitingError } from "bullmq";
import { corruptReason, deathsOfPoison, type Handling, poisonReason } from "../handling.ts";
import { type Grant, type Memory, weightOf } from "../memory.ts";
import type { Consumer, Handle, Item, Settlement } from "../queue.ts";
import type { QueueClock } from "../queue-clock.ts";
import type { QueueLog } from "../sqlite/core.ts";
import { refusedState } from "../state.ts";
import { openTurns } from "../turns.ts";
import type { Bodies, Held } from "./bodies.ts";
import { type BodyCache, lengthOf, type Pack, type Packed, unpack } from "./body.ts";
import { codeWord, type RedisClient } from "./connect.ts";
import type { Forgetting } from "./forget.ts";
import { type BullLane, holderOf, idOf, type JobData } from "./lane.ts";
import { openRation } from "./ration.ts";
import { packRest, unpackRest } from "./state.ts";
import { keepTrying, within } from "./within.ts";
import { startWorker } from "./worker.ts";

export interface ConsumeFacts {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly lane: string;
  readonly lockMs: number;
  readonly throwDelayMs: number;
  /** A worker that fetched nothing for this long while jobs wait is replaced. */
  readonly stuckMs: number;
  readonly log: QueueLog;
  readonly clock: QueueClock;
  open(lane: string): Promise<BullLane>;
  /** Writes children and dead letters; both are safe to repeat. */
  write(item: Item, settlement: Settlement): Promise<void>;
  readonly handling: Handling;
  /** Resolves when the deaths that this process found at its start are counted. */
  readonly deathsCounted: Promise<void>;
  /** Events of an item became a dead letter that no handler gave up. */
  putAside(why: string, events: number): void;
  readonly cache: BodyCache;
  readonly memory: Memory;
  readonly pack: Pack;
  readonly bodies: Bodies;
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
      await settle(job, token, deaths);
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

  async function settle(job: Job<JobData>, token: string | undefined, deaths: number): Promise<void> {
    const { n, t, a } = job.data;
    const id = idOf(job.id ?? "e");
    const at = { lane: facts.lane, id, count: n, at: t, attempt: a };
    const end = async (body: string, why: string) => {
      await persist(() => facts.write({ ...at, body }, { dead: [{ body, count: n, why }] }));
      facts.putAside(why, n);
    };
    const held = facts.cache.take(facts.lane, id, a, job.data);
    const apart = held ? undefined : await bodyOf(job);
    const found: { body?: string } = {};
    const begin = (conflict: boolean): Promise<Settlement> | undefined => {
      try {
        found.body = held?.body ?? unpack(job.data, apart);
      } catch {
        return undefined;
      }
      if (deaths >= deathsOfPoison) return undefined;
      return handle({
        ...at,
        body: found.body,
        ...(held?.decoded === undefined ? {} : { decoded: held.decoded }),
        ...(deaths > 0 && { alone: true as const }),
        ...(conflict && { conflict: true as const }),
      });
    };
    let settlement: Settlement | undefined;
    try {
      if (job.data.o !== undefined) {
        settlement = unpackRest(job.data.o);
        found.body = "";
      }
      for (let conflict = false; !settlement; conflict = true) {
        const told = await facts.handling.during([{ lane: facts.lane, id }], () => begin(conflict));
        const why = refusedState(told?.state ?? []);
        if (why !== undefined) return end(found.body ?? "", why);
        if (!told) break;
        if (!told.state?.length || (await persist(() => commit(job, token, told)))) settlement = told;
      }
      if (deaths > 0) (await facts.open(facts.lane)).survived(job.id ?? "").catch(() => {});
    } catch (error) {
      facts.log("error", `queue: a consumer of ${facts.lane} failed: ${(error as Error)?.message ?? "no reason"}`);
      return later(job, token, facts.throwDelayMs);
    }
    const { body } = found;
    if (body === undefined) return end("", corruptReason);
    if (!settlement) return end(body, poisonReason);
    const item: Item = { ...at, body };
    if (settlement.next?.length || settlement.dead?.length) await persist(() => facts.write(item, settlement));
    const { retry } = settlement;
    ration.ended(retry ? "failed" : "taken");
    if (!retry) return;
    const packed = await packAgain(job, body, retry.body);
    const data: JobData = { ...packed, n: retry.count, t, a: a + 1, s: job.stalledCounter };
    facts.cache.keep(facts.lane, id, a + 1, packed, retry.body, retry.decoded);
    return later(job, token, retry.inMs, data);
  }

  const heldBy = ({ id = "", data }: Job<JobData>): Held | undefined =>
    "r" in data ? { name: data.r, holder: holderOf(facts.lane, id) } : undefined;

  /** What stands apart. Throws when it is gone because somebody else has settled the job. */
  async function bodyOf(job: Job<JobData>): Promise<Buffer | undefined> {
    const held = heldBy(job);
    if (!held) return undefined;
    const bytes = await facts.bodies.fetch(held.name);
    if (!bytes && !(await facts.bodies.isNamed(held))) throw new Error("the item is settled");
    return bytes;
  }

  /** What is left of a body, as it will be stored; one that stands apart is there before the job names it. */
  async function packAgain({ id = "", data }: Job<JobData>, body: string, left: string): Promise<Packed> {
    if (body === left && "r" in data) return { r: data.r, l: data.l };
    const { packed, apart } = facts.pack(left);
    if (apart && "r" in packed) await persist(() => facts.bodies.keep(packed.r, apart, holderOf(facts.lane, id)));
    return packed;
  }

  /** False: what was read has changed since. */
  async function commit(job: Job<JobData>, token = "", told: Settlement): Promise<boolean> {
    const { state } = await facts.open(facts.lane);
    const data = JSON.stringify({ ...job.data, o: packRest(told) } satisfies JobData);
    return state.commit({ job: worker.toKey(job.id ?? ""), token, data, changes: told.state ?? [] });
  }

  /** New content and the move to the delayed set are one script. */
  async function later(job: Job<JobData>, token: string | undefined, inMs: number, data?: JobData) {
    const backend = worker.getBackend();
    const fields = data && { data: JSON.stringify(data), n: data.n };
    const held = heldBy(job);
    await backend.moveToDelayed(job.id ?? "", facts.clock.now(), Math.max(1, Math.ceil(inMs)), token ?? "", {
      skipAttempt: true,
      ...(fields ? { fieldsToUpdate: fields } : {}),
    });
    if (held && data && !("r" in data && data.r === held.name)) facts.bodies.leave([held]).catch(() => {});
    throw new DelayedError();
  }

  /** While Redis is away the result is kept and tried again, as long as the lock may hold. */
  function persist<T>(write: () => Promise<T>): Promise<T> {
    return keepTrying(write, facts.lockMs * 0.8, () => closed);
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
