import type { Item } from "../queue/queue.ts";
import type { Alert } from "../sdk/output.ts";
import type { Failure } from "./failure.ts";

/** What became of one alert, and the attempts made with it here, when they were several. `held`: none was made, and none can start for `waitMs`. */
export type Outcome =
  | { readonly kind: "taken"; readonly attempts?: number }
  | { readonly kind: "failed"; readonly failure: Failure; readonly permanent: boolean; readonly attempts?: number }
  | { readonly kind: "held"; readonly waitMs: number };

/** Where alerts come from. `at`: when the hub took them, milliseconds since the epoch. */
export type DeliveredItem = Pick<Item, "lane" | "id" | "at" | "alone"> & Partial<Pick<Item, "attempt" | "body">>;

/** An alert in hand: what it came in, and how many attempts were made with it here. */
export interface Origin {
  readonly alert: Alert;
  readonly item: DeliveredItem | undefined;
  readonly attempts: number;
}

/** Alerts that came together and are answered together. */
export interface Ticket {
  readonly alerts: readonly Alert[];
  readonly item: DeliveredItem | undefined;
  readonly outcomes: Outcome[];
  readonly done: (outcomes: readonly Outcome[]) => void;
  /** Alerts without an outcome. */
  left: number;
  /** The tick after which what is left goes back to the lane. */
  expires: number;
  /** An attempt was made with some of it. */
  started: boolean;
}

/** One alert of a ticket. */
export interface Entry {
  readonly ticket: Ticket;
  readonly index: number;
  attempts: number;
}

/** The alert of an entry. */
export const alertOf = ({ ticket, index }: Entry): Alert => ticket.alerts[index] as Alert;

/** An entry as those outside know it. */
export const originOf = (entry: Entry): Origin => ({
  alert: alertOf(entry),
  item: entry.ticket.item,
  attempts: entry.attempts,
});

/** Each item of a batch once: its alerts stand together. */
export const itemsOf = (batch: readonly Entry[]): readonly DeliveredItem[] => {
  const items: DeliveredItem[] = [];
  for (const { ticket } of batch) if (ticket.item && items.at(-1) !== ticket.item) items.push(ticket.item);
  return items;
};

/** What is in hand. */
export interface Tickets {
  /** In hand now. */
  size(): number;
  /** Takes alerts in hand; resolves when each has its outcome. */
  open(
    alerts: readonly Alert[],
    item: DeliveredItem | undefined,
    expires: number,
  ): { readonly ticket: Ticket; readonly outcomes: Promise<readonly Outcome[]> };
  resolve(entry: Entry, outcome: Outcome): void;
  /** Calls back when nothing is in hand. */
  whenNone(idle: () => void): void;
}

/** Tickets of one batcher. */
export const openTickets = (): Tickets => {
  const open = new Set<Ticket>();
  let idle = (): void => {};
  return {
    size: () => open.size,
    open: (alerts, item, expires) => {
      const { promise, resolve: done } = Promise.withResolvers<readonly Outcome[]>();
      const ticket: Ticket = { alerts, item, outcomes: [], done, left: alerts.length, expires, started: false };
      open.add(ticket);
      return { ticket, outcomes: promise };
    },
    resolve: ({ ticket, index }, outcome) => {
      ticket.outcomes[index] = outcome;
      ticket.left -= 1;
      if (ticket.left > 0) return;
      open.delete(ticket);
      ticket.done(ticket.outcomes);
      if (open.size === 0) idle();
    },
    whenNone: (called) => {
      idle = called;
    },
  };
};
