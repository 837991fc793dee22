import type { Queue } from "../queue/queue.ts";
import type { Reason } from "../sdk/errors.ts";
import type { Alert, Alerts } from "../sdk/output.ts";
import type { Clock } from "../time/clock.ts";
import { type Failure, perAlert } from "./failure.ts";
import type { Gate } from "./gate.ts";
import { openStock, type StockParts } from "./stock.ts";
import {
  alertOf,
  type DeliveredItem,
  type Entry,
  itemsOf,
  type Origin,
  type Outcome,
  openTickets,
  originOf,
  type Tickets,
} from "./tickets.ts";

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

export interface BatcherParts extends StockParts {
  readonly gate: Required<Gate>;
  /**
   * Never rejects; resolves with the failure, if any. `accepted` is each alert's; `who` says where each came from, until
   * what follows from the attempt has begun.
   */
  readonly attempt: (
    alerts: Alerts,
    accepted: readonly number[],
    who: () => readonly Origin[],
  ) => Promise<Failure | undefined>;
  /** Told of the items whose alerts an attempt is made of, around its synchronous part. */
  readonly during?: Queue["during"];
  readonly clock: Clock;
  /**
   * Present: nothing overtakes what fails. It stays in hand and goes again, before all that is newer, after so many
   * milliseconds; undefined: it is done with.
   */
  readonly again?: (failure: Failure, origin: Origin) => number | undefined;
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

/**
 * Joins alerts into requests. Nothing waits for a batch to fill: what is there goes when an attempt may start, so batches
 * grow exactly while requests are in flight.
 */
export const openBatcher = (parts: BatcherParts): Batcher => {
  const { gate, clock } = parts;
  const tickets = openTickets();
  const stock = openStock(parts, parts.again !== undefined);
  const flying = new Set<readonly Entry[]>();
  /** In order: the tick before which nothing goes. */
  let pausedUntil = -Infinity;
  let cancel = (): void => {};
  let scheduled = false;
  let closed = false;

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
      fly(stock.take(gate.room(at)), at);
    }
  };

  /** In order nothing expires: the lane would hand out what is newer. */
  const inOrder = (): number | undefined => (stock.empty() ? undefined : Infinity);

  /** Returns expired items to the lane; the answer is when the next one expires, undefined when nothing waits. */
  const giveBack = (at: number, wait: number): number | undefined => {
    for (;;) {
      const next = stock.oldest();
      if (!next || next.expires > at || (wait === 0 && !next.started)) return next?.expires;
      answer(tickets, stock.shiftOldest(), { kind: "held", waitMs: Number.isFinite(wait) ? wait : 0 });
    }
  };

  const fly = (batch: readonly Entry[], at: number): void => {
    for (const { ticket } of batch) {
      if (ticket.started) continue;
      ticket.started = true;
      ticket.expires = at + startedHoldMs;
    }
    gate.enter(at, batch.length);
    flying.add(batch);
    void attempted(parts, batch).then((failure) => {
      gate.leave(clock.ticks(), failure);
      if (!flying.delete(batch)) return;
      if (!failure) for (const entry of batch) tickets.resolve(entry, takenAfter(entry));
      else if (batch.length > 1 && blamesOneAlert(failure)) stock.part(batch);
      else land(batch, failure);
      pump();
    });
  };

  const land = (batch: readonly Entry[], failure: Failure): void => {
    const { again } = parts;
    const { kept, waitMs } = landed(tickets, batch, failure, closed ? undefined : again);
    if (kept.length === 0) return;
    pausedUntil = clock.ticks() + waitMs;
    stock.keep(kept);
  };

  const release = (): void => {
    closed = true;
    cancel();
    // In order: nothing is settled, so that the lane takes all back as it gave it.
    if (!parts.again) {
      const held: Outcome = { kind: "held", waitMs: 0 };
      while (!stock.empty()) answer(tickets, stock.shiftOldest(), held);
      for (const batch of [...flying]) answer(tickets, batch, held);
    }
    flying.clear();
  };

  return {
    deliver: (alerts, item) => {
      if (closed) return Promise.resolve(alerts.map(() => ({ kind: "held", waitMs: closedWaitMs }) as const));
      if (alerts.length === 0) return Promise.resolve([]);
      const holdMs = (item?.body?.length ?? 0) < large.bytes ? waitingHoldMs : large.holdMs;
      const { ticket, outcomes } = tickets.open(alerts, item, clock.ticks() + holdMs);
      stock.add(ticket);
      if (!parts.limits) pump();
      else if (!scheduled) {
        // A queue hands out many items in one turn of the loop: they shall share a request.
        scheduled = true;
        setImmediate(pump);
      }
      return outcomes;
    },
    inHand: tickets.size,
    close: async (deadlineMs) => {
      if (tickets.size() > 0) {
        const { promise, resolve: over } = Promise.withResolvers<void>();
        tickets.whenNone(over);
        const stop = clock.after(deadlineMs, over);
        await promise;
        stop();
      }
      release();
    },
  };
};

const taken: Outcome = { kind: "taken" };
const takenAfter = ({ attempts }: Entry): Outcome => (attempts === 0 ? taken : { ...taken, attempts: attempts + 1 });

const answer = (tickets: Tickets, entries: readonly Entry[], outcome: Outcome): void => {
  for (const entry of entries) tickets.resolve(entry, outcome);
};

const attempted = (parts: BatcherParts, batch: readonly Entry[]): Promise<Failure | undefined> => {
  const accepted = batch.map(({ ticket }) => ticket.item?.at ?? 0);
  const who = () => batch.map(originOf);
  const attempt = () => parts.attempt(batch.map(alertOf) as [Alert, ...Alert[]], accepted, who);
  return parts.during ? parts.during(itemsOf(batch), attempt) : attempt();
};

/** Answers for each alert of a batch that failed, but those that `again` keeps in hand: for as long as it says of the first. */
const landed = (
  tickets: Tickets,
  batch: readonly Entry[],
  failure: Failure,
  again: BatcherParts["again"],
): { readonly kept: readonly Entry[]; readonly waitMs: number } => {
  const each = perAlert(failure);
  const aside = new Set(failure.aside);
  const kept: Entry[] = [];
  let waitMs = 0;
  for (const [i, entry] of batch.entries()) {
    if (each.taken(i)) {
      tickets.resolve(entry, takenAfter(entry));
      continue;
    }
    const own = each.of(i);
    const permanent = each.permanent(i);
    entry.attempts += 1;
    const wait = permanent || aside.has(i) ? undefined : again?.(own, originOf(entry));
    if (wait === undefined)
      tickets.resolve(entry, { kind: "failed", failure: own, permanent, attempts: entry.attempts });
    else {
      if (kept.length === 0) waitMs = wait;
      kept.push(entry);
    }
  }
  return { kept, waitMs };
};

/** Refusals that one alert of many may have caused: the others deserve a request without it. */
const blamed: ReadonlySet<Reason> = new Set(["client_error", "invalid", "too_large", "bug"]);
const blamesOneAlert = (failure: Failure): boolean =>
  !failure.retryable && failure.failed === undefined && blamed.has(failure.reason);
