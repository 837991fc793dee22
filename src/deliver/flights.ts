import type { Queue } from "../queue/queue.ts";
import type { Reason } from "../sdk/errors.ts";
import type { Alert, Alerts } from "../sdk/output.ts";
import type { Clock } from "../time/clock.ts";
import { type Failure, perAlert } from "./failure.ts";
import type { Gate } from "./gate.ts";
import type { Stock } from "./stock.ts";
import { alertOf, type Entry, itemsOf, type Origin, type Outcome, originOf, type Tickets } from "./tickets.ts";

/**
 * After its first attempt an item goes back to the lane with what is left of it: a crash then repeats two seconds' worth
 * of deliveries at most, however many alerts the item holds.
 */
const startedHoldMs = 2_000;

export interface FlightParts {
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

/** Requests under way. */
export interface Flights {
  start(batch: readonly Entry[], at: number): void;
  /** Where an order is kept: the tick before which nothing goes. */
  pausedUntil(): number;
  /** What is still under way is nobody's any more; the answer is what it was. */
  forget(): readonly Entry[];
}

/** `landed` is called after each request, when its alerts have their outcomes or are back in the stock. */
export const openFlights = (parts: FlightParts, tickets: Tickets, stock: Stock, landed: () => void): Flights => {
  const { gate, clock } = parts;
  const flying = new Set<readonly Entry[]>();
  let pausedUntil = -Infinity;
  let closed = false;

  const land = (batch: readonly Entry[], failure: Failure | undefined): void => {
    if (!failure) {
      for (const entry of batch) tickets.resolve(entry, takenAfter(entry));
    } else if (batch.length > 1 && blamesOneAlert(failure)) stock.part(batch);
    else {
      const { kept, waitMs } = settleFailed(tickets, batch, failure, closed ? undefined : parts.again);
      if (kept.length === 0) return;
      pausedUntil = clock.ticks() + waitMs;
      stock.keep(kept);
    }
  };

  return {
    start: (batch, at) => {
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
        land(batch, failure);
        landed();
      });
    },
    pausedUntil: () => pausedUntil,
    forget: () => {
      closed = true;
      const left = [...flying].flat();
      flying.clear();
      return left;
    },
  };
};

const taken: Outcome = { kind: "taken" };
const takenAfter = ({ attempts }: Entry): Outcome => (attempts === 0 ? taken : { ...taken, attempts: attempts + 1 });

const attempted = (parts: FlightParts, batch: readonly Entry[]): Promise<Failure | undefined> => {
  const accepted = batch.map(({ ticket }) => ticket.item?.at ?? 0);
  const who = () => batch.map(originOf);
  const attempt = () => parts.attempt(batch.map(alertOf) as [Alert, ...Alert[]], accepted, who);
  return parts.during ? parts.during(itemsOf(batch), attempt) : attempt();
};

/** Answers for each alert of a batch that failed, but those that `again` keeps in hand: for as long as it says of the first. */
const settleFailed = (
  tickets: Tickets,
  batch: readonly Entry[],
  failure: Failure,
  again: FlightParts["again"],
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
