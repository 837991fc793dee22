import { type Fifo, fifo } from "../queue/fifo.ts";
import type { Item, Queue } from "../queue/queue.ts";
import type { Reason } from "../sdk/errors.ts";
import type { Alert, Alerts, Batch } from "../sdk/output.ts";
import type { Clock } from "../time/clock.ts";
import type { Failure } from "./failure.ts";
import type { Gate } from "./gate.ts";

/** What became of one alert. `held`: no attempt was made, and none can start for `waitMs`. */
export type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "failed"; readonly failure: Failure; readonly permanent: boolean; readonly attempts?: number }
  | { readonly kind: "held"; readonly waitMs: number };

export interface Batcher {
  /**
   * One outcome per alert, in order; never rejects. Requests may join alerts of several calls, but for an item that is to be
   * alone.
   */
  deliver(alerts: readonly Alert[], item?: DeliveredItem): Promise<readonly Outcome[]>;
  /** Calls of `deliver` not yet answered. */
  inHand(): number;
  /** Goes on for `deadlineMs`, then answers all that is left with `held`. */
  close(deadlineMs: number): Promise<void>;
}

/** Where alerts come from. `at`: when the hub took them, milliseconds since the epoch. */
export type DeliveredItem = Pick<Item, "lane" | "id" | "at" | "alone"> & Partial<Pick<Item, "attempt" | "body">>;

export interface BatcherParts {
  /** Of one request; absent: one alert each. */
  readonly limits: Batch | undefined;
  readonly gate: Required<Gate>;
  /** Never rejects; resolves with the failure, if any. `accepted` is each alert's. */
  readonly attempt: (alerts: Alerts, accepted: readonly number[]) => Promise<Failure | undefined>;
  /** Told of the items whose alerts an attempt is made of, around its synchronous part. */
  readonly during?: Queue["during"];
  readonly clock: Clock;
  /**
   * Present: nothing overtakes what fails. It stays in hand and goes again, before all that is newer, after so many
   * milliseconds; undefined: it is done with. `attempts` are those made here; `item` is what the alert came in.
   */
  readonly again?: (failure: Failure, attempts: number, item: DeliveredItem | undefined) => number | undefined;
  /** Whether an alert may go in one request with the first of it; absent: any may. */
  readonly joins?: ((first: Alert, next: Alert) => boolean) | undefined;
  /** Size of one alert, compared with `limits.bytes`. */
  readonly weigh: (alert: Alert) => number;
}

/**
 * After its first attempt an item goes back to the lane with what is left of it: a crash then repeats two seconds' worth
 * of deliveries at most, however many alerts the item holds.
 */
const startedHoldMs = 2_000;
/** An item whose turn does not come, though the breaker made a probe or two, is shown to other processes again. */
const waitingHoldMs = 60_000;
/** A large one takes memory that others may wait for. */
const large = { bytes: 256 * 1024, holdMs: 5_000 };
/** For items that arrive while the delivery closes. */
const closedWaitMs = 1_000;

interface Ticket {
  readonly alerts: readonly Alert[];
  readonly item: DeliveredItem | undefined;
  readonly outcomes: Outcome[];
  readonly done: (outcomes: readonly Outcome[]) => void;
  left: number;
  expires: number;
  started: boolean;
}

interface Entry {
  readonly ticket: Ticket;
  readonly index: number;
  attempts: number;
}

/**
 * Joins alerts into requests. Nothing waits for a batch to fill: what is there goes when an attempt may start, so batches
 * grow exactly while requests are in flight.
 */
export const openBatcher = (parts: BatcherParts): Batcher => {
  const { limits, gate, clock } = parts;
  const tickets = new Set<Ticket>();
  const flying = new Set<readonly Entry[]>();
  const waiting: Fifo<Entry> = fifo();
  /** Halves of refused batches: they keep their bounds and go first. */
  const halves: Fifo<readonly Entry[]> = fifo();
  /** In order: what goes again, the oldest last, and the tick before which nothing goes. */
  const again: (readonly Entry[])[] = [];
  let pausedUntil = -Infinity;
  let cancel = (): void => {};
  let scheduled = false;
  let closed = false;
  let idle = (): void => {};

  const resolve = ({ ticket, index }: Entry, outcome: Outcome): void => {
    ticket.outcomes[index] = outcome;
    ticket.left -= 1;
    if (ticket.left > 0) return;
    tickets.delete(ticket);
    ticket.done(ticket.outcomes);
    if (tickets.size === 0) idle();
  };

  const pump = (): void => {
    scheduled = false;
    cancel();
    for (;;) {
      const at = clock.ticks();
      const wait = Math.max(gate.wait(at), pausedUntil - at);
      const expires = parts.again ? inOrder() : giveBack(at, wait);
      if (expires === undefined) return;
      if (wait > 0) {
        const next = Math.min(wait, expires - at);
        // What is in flight calls back itself.
        if (next !== Infinity) cancel = clock.after(next, pump);
        return;
      }
      fly(take(gate.room(at)), at);
    }
  };

  /** In order nothing expires: the lane would hand out what is newer. */
  const inOrder = (): number | undefined => (again.length + waiting.size > 0 ? Infinity : undefined);

  /** Returns expired items to the lane; the answer is when the next one expires, undefined when nothing waits. */
  const giveBack = (at: number, wait: number): number | undefined => {
    for (;;) {
      const half = halves.peek();
      const next = half?.[0] ?? waiting.peek();
      if (!next || next.ticket.expires > at) return next?.ticket.expires;
      if (wait === 0 && !next.ticket.started) return next.ticket.expires;
      const held: Outcome = { kind: "held", waitMs: Number.isFinite(wait) ? wait : 0 };
      if (half) for (const entry of halves.shift() ?? []) resolve(entry, held);
      else for (let e = waiting.peek(); e?.ticket === next.ticket; e = waiting.peek()) resolveNext(held);
    }
  };

  const resolveNext = (outcome: Outcome): void => {
    const entry = waiting.shift();
    if (entry) resolve(entry, outcome);
  };

  const take = (room: number): readonly Entry[] => {
    const first = again.pop();
    if (first) return first;
    const half = halves.peek();
    if (half) {
      halves.shift();
      return half;
    }
    const most = Math.min(limits?.items ?? 1, room);
    const heaviest = limits?.bytes ?? Infinity;
    const batch: Entry[] = [];
    let weight = 0;
    for (let next = waiting.peek(); next && batch.length < most; next = waiting.peek()) {
      if (heaviest !== Infinity) weight += parts.weigh(alertOf(next));
      if (batch.length > 0 && weight > heaviest) break;
      if (batch[0] && parts.joins?.(alertOf(batch[0]), alertOf(next)) === false) break;
      if (batch[0] && batch[0].ticket !== next.ticket && (batch[0].ticket.item?.alone || next.ticket.item?.alone))
        break;
      waiting.shift();
      batch.push(next);
    }
    return batch;
  };

  const fly = (batch: readonly Entry[], at: number): void => {
    for (const { ticket } of batch) {
      if (ticket.started) continue;
      ticket.started = true;
      ticket.expires = at + startedHoldMs;
    }
    gate.enter(at, batch.length);
    flying.add(batch);
    const accepted = batch.map(({ ticket }) => ticket.item?.at ?? 0);
    const attempt = () => parts.attempt(batch.map(alertOf) as [Alert, ...Alert[]], accepted);
    const attempted = parts.during ? parts.during(itemsOf(batch), attempt) : attempt();
    void attempted.then((failure) => {
      gate.leave(clock.ticks(), failure);
      if (!flying.delete(batch)) return;
      land(batch, failure);
      pump();
    });
  };

  const land = (batch: readonly Entry[], failure: Failure | undefined): void => {
    if (failure && batch.length > 1 && blamesOneAlert(failure)) {
      const middle = batch.length >> 1;
      const parted = [batch.slice(0, middle), batch.slice(middle)];
      if (parts.again) again.push(...parted.reverse());
      else for (const half of parted) halves.push(half);
      return;
    }
    if (!failure) {
      for (const entry of batch) resolve(entry, taken);
      return;
    }
    const failed = failure.failed && new Set(failure.failed);
    const dead = new Set(failure.dead);
    const aside = new Set(failure.aside);
    const kept: Entry[] = [];
    for (const [i, entry] of batch.entries()) {
      if (failed && !failed.has(i) && !dead.has(i)) {
        resolve(entry, taken);
        continue;
      }
      const said = failure.each?.get(i);
      const own = said === undefined ? failure : { ...failure, message: said };
      const permanent = dead.has(i) || !failure.retryable;
      entry.attempts += 1;
      const wait =
        permanent || closed || aside.has(i) ? undefined : parts.again?.(own, entry.attempts, entry.ticket.item);
      if (wait === undefined) resolve(entry, { kind: "failed", failure: own, permanent, attempts: entry.attempts });
      else {
        if (kept.length === 0) pausedUntil = clock.ticks() + wait;
        kept.push(entry);
      }
    }
    if (kept.length > 0) again.push(kept);
  };

  const release = (): void => {
    closed = true;
    cancel();
    // In order: nothing is settled, so that the lane takes all back as it gave it.
    if (parts.again) {
      flying.clear();
      return;
    }
    const held: Outcome = { kind: "held", waitMs: 0 };
    while (waiting.size > 0) resolveNext(held);
    while (halves.size > 0) for (const entry of halves.shift() ?? []) resolve(entry, held);
    for (const batch of [...flying]) for (const entry of batch) resolve(entry, held);
    flying.clear();
  };

  return {
    deliver: (alerts, item) => {
      if (closed) return Promise.resolve(alerts.map(() => ({ kind: "held", waitMs: closedWaitMs }) as const));
      if (alerts.length === 0) return Promise.resolve([]);
      const { promise, resolve: done } = Promise.withResolvers<readonly Outcome[]>();
      const holdMs = (item?.body?.length ?? 0) < large.bytes ? waitingHoldMs : large.holdMs;
      const expires = clock.ticks() + holdMs;
      const ticket: Ticket = { alerts, item, outcomes: [], done, left: alerts.length, expires, started: false };
      tickets.add(ticket);
      for (let index = 0; index < alerts.length; index += 1) waiting.push({ ticket, index, attempts: 0 });
      if (!limits) pump();
      else if (!scheduled) {
        // A queue hands out many items in one turn of the loop: they shall share a request.
        scheduled = true;
        setImmediate(pump);
      }
      return promise;
    },
    inHand: () => tickets.size,
    close: async (deadlineMs) => {
      if (tickets.size > 0) {
        const { promise, resolve: over } = Promise.withResolvers<void>();
        idle = over;
        const stop = clock.after(deadlineMs, over);
        await promise;
        stop();
      }
      release();
    },
  };
};

const taken: Outcome = { kind: "taken" };

/** Each item of a batch once: its alerts stand together. */
const itemsOf = (batch: readonly Entry[]): readonly DeliveredItem[] => {
  const items: DeliveredItem[] = [];
  for (const { ticket } of batch) if (ticket.item && items.at(-1) !== ticket.item) items.push(ticket.item);
  return items;
};

const alertOf = ({ ticket, index }: Entry): Alert => ticket.alerts[index] as Alert;

/** Refusals that one alert of many may have caused: the others deserve a request without it. */
const blamed: ReadonlySet<Reason> = new Set(["client_error", "invalid", "too_large", "bug"]);
const blamesOneAlert = (failure: Failure): boolean =>
  !failure.retryable && failure.failed === undefined && blamed.has(failure.reason);
