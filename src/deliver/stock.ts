import { type Fifo, fifo } from "../queue/fifo.ts";
import type { Alert, Batch } from "../sdk/output.ts";
import { alertOf, type Entry, type Ticket } from "./tickets.ts";

export interface StockParts {
  /** Of one request; absent: one alert each. */
  readonly limits: Batch | undefined;
  /** Whether an alert may go in one request with the first of it; absent: any may. */
  readonly joins?: ((first: Alert, next: Alert) => boolean) | undefined;
  /** Size of one alert, compared with `limits.bytes`. */
  readonly weigh: (alert: Alert) => number;
}

/** Alerts that wait for a request. */
export interface Stock {
  empty(): boolean;
  add(ticket: Ticket): void;
  /** Alerts of the next request, `room` at most. */
  take(room: number): readonly Entry[];
  /** A refused batch goes again in halves, which keep their bounds and go first. */
  part(batch: readonly Entry[]): void;
  /** Goes again before all else. */
  keep(entries: readonly Entry[]): void;
  /** The ticket whose alerts wait longest. */
  oldest(): Ticket | undefined;
  /** Takes away the alerts of the oldest that wait together. */
  shiftOldest(): readonly Entry[];
}

/** `ordered`: nothing overtakes what was taken before. */
export const openStock = ({ limits, joins, weigh }: StockParts, ordered: boolean): Stock => {
  const waiting: Fifo<Entry> = fifo();
  const halves: Fifo<readonly Entry[]> = fifo();
  /** What goes again where an order is kept, the oldest last. */
  const again: (readonly Entry[])[] = [];
  const most = limits?.items ?? 1;
  const heaviest = limits?.bytes ?? Infinity;

  const apart = (first: Entry, next: Entry): boolean =>
    joins?.(alertOf(first), alertOf(next)) === false ||
    (first.ticket !== next.ticket && (first.ticket.item?.alone || next.ticket.item?.alone) === true);

  const joined = (room: number): readonly Entry[] => {
    const batch: Entry[] = [];
    let weight = 0;
    for (let next = waiting.peek(); next && batch.length < Math.min(most, room); next = waiting.peek()) {
      if (heaviest !== Infinity) weight += weigh(alertOf(next));
      const [first] = batch;
      if (first && (weight > heaviest || apart(first, next))) break;
      waiting.shift();
      batch.push(next);
    }
    return batch;
  };

  return {
    empty: () => again.length + halves.size + waiting.size === 0,
    add: (ticket) => {
      for (let index = 0; index < ticket.alerts.length; index += 1) waiting.push({ ticket, index, attempts: 0 });
    },
    take: (room) => again.pop() ?? halves.shift() ?? joined(room),
    part: (batch) => {
      const middle = batch.length >> 1;
      const [front, back] = [batch.slice(0, middle), batch.slice(middle)];
      if (ordered) again.push(back, front);
      else for (const half of [front, back]) halves.push(half);
    },
    keep: (entries) => void again.push(entries),
    oldest: () => (halves.peek()?.[0] ?? waiting.peek())?.ticket,
    shiftOldest: () => {
      const half = halves.shift();
      if (half) return half;
      const entries: Entry[] = [];
      for (let next = waiting.peek(); next && next.ticket === (entries[0] ?? next).ticket; next = waiting.peek()) {
        waiting.shift();
        entries.push(next);
      }
      return entries;
    },
  };
};
