import type { Alert } from "../sdk/output.ts";
import { type FlightParts, openFlights } from "./flights.ts";
import { openStock, type StockParts } from "./stock.ts";
import { type DeliveredItem, type Entry, type Outcome, openTickets, type Tickets } from "./tickets.ts";

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

export interface BatcherParts extends StockParts, FlightParts {}

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
  let cancel = (): void => {};
  let scheduled = false;
  let closed = false;

  const pump = (): void => {
    scheduled = false;
    cancel();
    for (;;) {
      const at = clock.ticks();
      const wait = Math.max(gate.wait(at), flights.pausedUntil() - at);
      const expires = parts.again ? inOrder() : giveBack(at, wait);
      if (expires === undefined) return;
      if (wait > 0) {
        const next = Math.min(wait, expires - at);
        // What is in flight calls back itself.
        if (next !== Infinity) cancel = clock.after(next, pump);
        return;
      }
      flights.start(stock.take(gate.room(at)), at);
    }
  };

  const flights = openFlights(parts, tickets, stock, pump);

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

  const release = (): void => {
    closed = true;
    cancel();
    const under = flights.forget();
    // In order: nothing is settled, so that the lane takes all back as it gave it.
    if (parts.again) return;
    const held: Outcome = { kind: "held", waitMs: 0 };
    while (!stock.empty()) answer(tickets, stock.shiftOldest(), held);
    answer(tickets, under, held);
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

const answer = (tickets: Tickets, entries: readonly Entry[], outcome: Outcome): void => {
  for (const entry of entries) tickets.resolve(entry, outcome);
};
