/** Brings what was found in a damaged queue file into the living one, as much at a time as there is room for. */

import { type Core, laneOf } from "./core.ts";
import { arrived, died } from "./counters.ts";
import type { Doubt } from "./doubt.ts";
import { dispatch } from "./handout.ts";
import type { FoundItem } from "./holders.ts";
import type { Lane } from "./lane.ts";
import type { FoundBody, FoundLetter, Piece } from "./pieces.ts";
import type { Origin } from "./room.ts";
import { type Tallies, tallyOf } from "./tally.ts";
import { armTimer } from "./window.ts";

/** `worked`: call again; `waits`: there is no room now. */
export type Pause = "worked" | "waits";

/** Where reading goes on: a step, and the last row of it that is written already. */
export interface Reached {
  readonly step: number;
  readonly row: number;
}

/** The room of the living file. */
export interface RescueRoom {
  fits(bytes: number, from: Exclude<Origin, "push">): boolean;
  /** The same, and they are about to be stored. */
  allows(bytes: number, from: Exclude<Origin, "push">): boolean;
  /** Gives the reserve up; false: it is gone already. */
  giveUp(): boolean;
}

/** What is written in one go where there is room, and where there is little. */
const [batchBytes, smallBytes] = [1 << 20, 64 * 1024];

const bytesOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { bytes }) => sum + bytes, 0);

/** Of the file that is read: which of its items the last transaction may have ended, and its lanes by key. */
interface Told {
  readonly doubt: Doubt;
  nameOf(lane: number): string;
}

export class BringBack {
  readonly #core: Core;
  readonly #key: string;
  readonly #room: RescueRoom;
  readonly #told: Told;
  /** By lane, over all starts. */
  readonly saved: Tallies;
  readonly #left: { readonly step: number; readonly piece: Piece }[] = [];
  #bytes = 0;
  /** Pieces of one write: after a refusal fewer, down to one. */
  #few = Number.POSITIVE_INFINITY;

  /** `key`: of its names in the table of facts. */
  constructor(core: Core, key: string, room: RescueRoom, told: Told) {
    this.#core = core;
    this.#key = key;
    this.#room = room;
    this.#told = told;
    this.saved = readSaved(core, key);
  }

  place(): Reached {
    const { store } = this.#core;
    return { step: store.readMeta(`${this.#key}place`), row: store.readMeta(`${this.#key}row`) };
  }

  /** What was read of a step, to be written. */
  add(step: number, pieces: readonly Piece[]): void {
    this.#left.push(...pieces.map((piece) => ({ step, piece })));
    this.#bytes += bytesOf(pieces);
  }

  /** It is time to write. */
  isMuch(): boolean {
    const bytes = this.#bytes;
    return bytes >= batchBytes || (bytes >= smallBytes && !this.#room.fits(2 * batchBytes, "rescue"));
  }

  /** Writes all that was added; `next` is the step behind it. */
  *write(next: number): Generator<Pause, void> {
    for (;;) {
      const some = this.#left.slice(0, this.#few);
      const last = some.at(-1);
      const whole = some.length === this.#left.length;
      const place = last && !whole ? { step: last.step, row: last.piece.row } : { step: next, row: 0 };
      const pieces = some.map(({ piece }) => piece);
      if (!this.#hasRoom(bytesOf(pieces)) || !this.#store(pieces, place)) {
        this.#few = Math.max(1, Math.ceil(some.length / 2));
        yield some.length > 1 ? "worked" : "waits";
        continue;
      }
      this.#left.splice(0, some.length);
      this.#few *= 2;
      yield "worked";
      if (this.#left.length > 0) continue;
      this.#bytes = 0;
      return;
    }
  }

  /** Where nothing is left to deliver nobody else makes room: what there is may be used to the end, the reserve first. */
  #hasRoom(wanted: number): boolean {
    const room = this.#room;
    if (wanted === 0 || room.allows(wanted, "rescue")) return true;
    if ([...this.#core.lanes.values()].some((lane) => lane.total > 0)) return false;
    return room.allows(wanted, "rescue alone") || (room.giveUp() && room.allows(wanted, "rescue alone"));
  }

  /** Stores the pieces and the place behind them; false: not now. */
  #store(pieces: readonly Piece[], place: Reached): boolean {
    const core = this.#core;
    const { doubt, nameOf } = this.#told;
    const added: Added[] = [];
    const buried: FoundLetter[] = [];
    try {
      core.store.begin();
      for (const { body, letter } of pieces) {
        if (body) added.push(...addFound(core, body, nameOf));
        if (letter && core.store.addDead(storedLane(core, letter.lane).key, letter)) buried.push(letter);
      }
      const next: Tallies = new Map([...this.saved].map(([lane, t]) => [lane, { ...t }]));
      for (const { item, lane } of added)
        if (!doubt.came(item.lane, item.seq)) tallyOf(next, lane.name).events += item.count;
      for (const letter of buried) tallyOf(next, letter.lane).letters += letter.count;
      this.#note(place, next);
      core.store.commit();
      for (const [lane, t] of next) this.saved.set(lane, t);
    } catch (error) {
      core.store.rollback();
      core.failed(error);
      return false;
    }
    for (const { item } of added) doubt.found(item.lane, item.seq);
    for (const letter of buried) died(laneOf(core, letter.lane), letter.count);
    handOut(core, added);
    return true;
  }

  #note(place: Reached, saved: Tallies): void {
    const { store } = this.#core;
    store.setMeta(`${this.#key}place`, place.step);
    store.setMeta(`${this.#key}row`, place.row);
    for (const [lane, t] of saved) {
      store.setMeta(`${this.#key}events ${lane}`, t.events);
      store.setMeta(`${this.#key}letters ${lane}`, t.letters);
    }
  }
}

function readSaved(core: Core, key: string): Tallies {
  const saved: Tallies = new Map();
  for (const what of ["events", "letters"] as const)
    for (const { name, value } of core.store.metaUnder(`${key}${what} `))
      tallyOf(saved, name.slice(`${key}${what} `.length))[what] = value;
  return saved;
}

interface Added {
  readonly item: FoundItem;
  readonly lane: Lane;
  readonly seq: number;
  readonly due: number;
}

function storedLane(core: Core, name: string): Lane {
  const lane = laneOf(core, name);
  core.store.addLane(lane.key, lane.name);
  return lane;
}

/** Those of a body's items that their lanes did not hold. */
function addFound(core: Core, { body, items }: FoundBody, nameOf: (lane: number) => string): Added[] {
  const { store } = core;
  const bodySeq = ++core.bodySeq;
  const shared = items.length > 1;
  const added: Added[] = [];
  for (const item of items) {
    const lane = storedLane(core, nameOf(item.lane));
    if (lane.fresh.has(item.id)) continue;
    const seq = item.seq > 0 && !store.hasSeq(lane.key, item.seq) ? item.seq : ++core.seq;
    // Late retries are due; nothing waits longer than it was told to, nor where the reading has passed.
    const late = item.due <= core.clock();
    const due = late ? 0 : Math.max(Math.min(item.due, Math.ceil(core.clock()) + item.wait), lane.dueFrom.due + 1);
    if (store.addItem(lane.key, { ...item, seq, due, bodySeq, shared }, item.wait))
      added.push({ item, lane, seq, due });
  }
  if (added.length === 0) return [];
  if (shared) store.addHolders(bodySeq, added.length);
  const first = added[0] as Added;
  store.addBody(bodySeq, first.lane.key, first.item, body);
  return added;
}

/** Brings memory in line: the lanes read again from where the oldest of the new items stands. */
function handOut(core: Core, added: readonly Added[]): void {
  const lanes = new Set<Lane>();
  for (const { item, lane, seq, due } of added) {
    lane.stored = true;
    arrived(lane, item.count, due > 0);
    if (due === 0) {
      lane.cursor = Math.min(lane.cursor, seq - 1);
      lane.behind = true;
    }
    lanes.add(lane);
  }
  for (const lane of lanes) {
    armTimer(core, lane);
    dispatch(core, lane);
  }
}
