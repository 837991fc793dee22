/** What becomes of one job in hand: its handler is asked, and what that says is written. */

import { DelayedError, type Job, type Worker } from "bullmq";
import { corruptReason, deathsOfPoison, type Handling, poisonReason } from "../handling.ts";
import type { Handle, Item, Settlement } from "../queue.ts";
import type { QueueClock } from "../queue-clock.ts";
import type { QueueLog } from "../sqlite/core.ts";
import { refusedState } from "../state.ts";
import type { Bodies, Held } from "./bodies.ts";
import { type BodyCache, type Pack, type Packed, unpack } from "./body.ts";
import { type BullLane, holderOf, idOf, type JobData } from "./lane.ts";
import { packRest, unpackRest } from "./state.ts";
import { keepTrying } from "./within.ts";

export interface SettleFacts {
  readonly lane: string;
  readonly lockMs: number;
  readonly throwDelayMs: number;
  readonly log: QueueLog;
  readonly clock: QueueClock;
  open(lane: string): Promise<BullLane>;
  /** Writes children and dead letters; both are safe to repeat. */
  write(item: Item, settlement: Settlement): Promise<void>;
  readonly handling: Handling;
  /** Events of an item became a dead letter that no handler gave up. */
  putAside(why: string, events: number): void;
  readonly cache: BodyCache;
  readonly pack: Pack;
  readonly bodies: Bodies;
}

/** A job and the token of its lock. */
export interface InHand {
  readonly facts: SettleFacts;
  readonly handle: Handle;
  readonly job: Job<JobData>;
  readonly token: string;
  /** Processes that died while they handled it. */
  readonly deaths: number;
  /** The lane's worker, which may be replaced meanwhile. */
  readonly worker: () => Worker<JobData>;
  readonly closed: () => boolean;
  /** Told what became of it. */
  readonly ended: (last: "taken" | "failed") => void;
}

type Facts = Omit<Item, "body">;

/** Resolves when the job is over; throws BullMQ's DelayedError when it is due later. */
export async function settle(hand: InHand): Promise<void> {
  const { facts, job, deaths } = hand;
  const { n, t, a } = job.data;
  const id = idOf(job.id ?? "e");
  const at: Facts = { lane: facts.lane, id, count: n, at: t, attempt: a };
  const held = facts.cache.take(facts.lane, id, a, job.data);
  // What is left of a settlement whose state stands needs no body.
  const apart = held || job.data.o !== undefined ? undefined : await bodyOf(facts, job);
  let told: Told;
  try {
    told = await ask(hand, at, held, apart);
    if (deaths > 0) (await facts.open(facts.lane)).survived(job.id ?? "").catch(() => {});
  } catch (error) {
    facts.log("error", `queue: a consumer of ${facts.lane} failed: ${(error as Error)?.message ?? "no reason"}`);
    return later(hand, facts.throwDelayMs);
  }
  const { body, settlement, why } = told;
  if (why !== undefined) {
    await persist(hand, () => facts.write({ ...at, body }, { dead: [{ body, count: n, why }] }));
    return facts.putAside(why, n);
  }
  if (settlement.next?.length || settlement.dead?.length)
    await persist(hand, () => facts.write({ ...at, body }, settlement));
  const { retry } = settlement;
  hand.ended(retry ? "failed" : "taken");
  if (!retry) return;
  const packed = await packAgain(hand, body, retry.body);
  const data: JobData = { ...packed, n: retry.count, t, a: a + 1, s: job.stalledCounter };
  facts.cache.keep(facts.lane, id, a + 1, packed, retry.body, retry.decoded);
  return later(hand, retry.inMs, data);
}

/** What is to be done, the state that goes with it changed already; or why the item is put aside. */
interface Told {
  readonly body: string;
  readonly settlement: Settlement;
  readonly why?: string;
}

async function ask(
  hand: InHand,
  at: Facts,
  held: ReturnType<BodyCache["take"]>,
  apart: Buffer | undefined,
): Promise<Told> {
  const { facts, handle, job, deaths } = hand;
  const named = [{ lane: at.lane, id: at.id }];
  if (job.data.o !== undefined) return { body: "", settlement: unpackRest(job.data.o) };
  let body: string | undefined;
  const begin = (conflict: boolean): Promise<Settlement> | undefined => {
    try {
      body = held?.body ?? unpack(job.data, apart);
    } catch {
      return undefined;
    }
    if (deaths >= deathsOfPoison) return undefined;
    return handle({
      ...at,
      body,
      ...(held?.decoded === undefined ? {} : { decoded: held.decoded }),
      ...(deaths > 0 && { alone: true as const }),
      ...(conflict && { conflict: true as const }),
    });
  };
  for (let conflict = false; ; conflict = true) {
    const settlement = await facts.handling.during(named, () => begin(conflict));
    if (body === undefined) return { body: "", settlement: {}, why: corruptReason };
    if (!settlement) return { body, settlement: {}, why: poisonReason };
    const why = refusedState(settlement.state ?? []);
    if (why !== undefined) return { body, settlement: {}, why };
    if (!settlement.state?.length || (await persist(hand, () => commit(hand, settlement)))) return { body, settlement };
  }
}

/** False: what was read has changed since. */
async function commit({ facts, job, token, worker }: InHand, settlement: Settlement): Promise<boolean> {
  const { state } = await facts.open(facts.lane);
  const data = JSON.stringify({ ...job.data, o: packRest(settlement) } satisfies JobData);
  return state.commit({ job: worker().toKey(job.id ?? ""), token, data, changes: settlement.state ?? [] });
}

const heldBy = (lane: string, { id = "", data }: Job<JobData>): Held | undefined =>
  "r" in data ? { name: data.r, holder: holderOf(lane, id) } : undefined;

/** What stands apart. Throws when it is gone because somebody else has settled the job. */
async function bodyOf({ lane, bodies }: SettleFacts, job: Job<JobData>): Promise<Buffer | undefined> {
  const held = heldBy(lane, job);
  if (!held) return undefined;
  const bytes = await bodies.fetch(held.name);
  if (!bytes && !(await bodies.isNamed(held))) throw new Error("the item is settled");
  return bytes;
}

/** What is left of a body, as it will be stored; one that stands apart is there before the job names it. */
async function packAgain(hand: InHand, body: string, left: string): Promise<Packed> {
  const { facts, job } = hand;
  const { id = "", data } = job;
  if (body === left && "r" in data) return { r: data.r, l: data.l };
  const { packed, apart } = facts.pack(left);
  if (apart && "r" in packed) await persist(hand, () => facts.bodies.keep(packed.r, apart, holderOf(facts.lane, id)));
  return packed;
}

/** New content and the move to the delayed set are one script. */
async function later({ facts, job, token, worker }: InHand, inMs: number, data?: JobData): Promise<never> {
  const fields = data && { data: JSON.stringify(data), n: data.n };
  const held = heldBy(facts.lane, job);
  await worker()
    .getBackend()
    .moveToDelayed(job.id ?? "", facts.clock.now(), Math.max(1, Math.ceil(inMs)), token, {
      skipAttempt: true,
      ...(fields ? { fieldsToUpdate: fields } : {}),
    });
  if (held && data && !("r" in data && data.r === held.name)) facts.bodies.leave([held]).catch(() => {});
  throw new DelayedError();
}

/** While Redis is away the result is kept and tried again, as long as the lock may hold. */
const persist = <T>({ facts, closed }: InHand, write: () => Promise<T>): Promise<T> =>
  keepTrying(write, facts.lockMs * 0.8, closed);
