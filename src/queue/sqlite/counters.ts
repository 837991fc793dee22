/** Events of a lane by what they wait for, counted as it happens: nothing but the functions of this file changes them. */

export interface Counters {
  /** Not settled: waiting, in hand and delayed. */
  readonly total: number;
  /** In hand. */
  readonly active: number;
  /** Due later. */
  readonly delayed: number;
  /** In dead letters. */
  readonly dead: number;
}

/** An item as far as it is counted. */
export interface Counted {
  /** Events in it. */
  readonly count: number;
  /** It is in hand and counted so. */
  readonly active: boolean;
  /** New, and due later: positive. */
  readonly inMs: number;
}

type Own<T> = { -readonly [Name in keyof T]: T[Name] };
interface OwnItem extends Own<Counted> {
  readonly lane: Own<Counters>;
}

export const nothingCounted: Counters = { total: 0, active: 0, delayed: 0, dead: 0 };

/** What was counted on the disk, where nothing is in hand; or that nothing is left. */
export function counted(lane: Own<Counters>, { total, active, delayed, dead }: Counters): void {
  lane.total = total;
  lane.active = active;
  lane.delayed = delayed;
  lane.dead = dead;
}

/** Events that the lane has not had before, ready or due later. */
export function arrived(lane: Own<Counters>, events: number, delayed = false): void {
  lane.total += events;
  if (delayed) lane.delayed += events;
}

/** An item that arrived is counted once more after everything was forgotten. */
export function kept({ lane, count, active, inMs }: OwnItem): void {
  arrived(lane, count, inMs > 0);
  if (active) lane.active += count;
}

/** Delayed events can be handed out now. */
export function cameDue(lane: Own<Counters>, events: number): void {
  lane.delayed -= events;
}

/** Handed to a consumer. */
export function taken(item: OwnItem): void {
  item.active = true;
  item.lane.active += item.count;
}

/** Nobody settled it: it waits again. */
export function givenBack(item: OwnItem): void {
  if (item.active) item.lane.active -= item.count;
  item.active = false;
}

/** The lane has it no more: it was settled, could not be written, or was there already. */
export function left(item: OwnItem): void {
  givenBack(item);
  item.lane.total -= item.count;
  if (item.inMs > 0) item.lane.delayed -= item.count;
}

/** Settled but for so many events, which are due later. */
export function retried(item: OwnItem, events: number): void {
  left(item);
  arrived(item.lane, events, true);
}

/** Events became dead letters. */
export function died(lane: Own<Counters>, events: number): void {
  lane.dead += events;
}

/** Dead letters were sent again, discarded or dropped. */
export function lettersGone(lane: Own<Counters>, events: number): void {
  lane.dead -= events;
}

/** Fewer are on the disk than were counted. */
export function missed(lane: Own<Counters>, total: number): void {
  lane.total = total;
}
