/**
 * Reads one damaged queue file back into the living one, a little at a time. Each transaction keeps the place with what
 * it brings, so that a death costs nothing and nothing comes twice; without room it waits until there is some.
 */

import { parsePage, type Row } from "./cells.ts";
import { type Core, itemKey, laneOf } from "./core.ts";
import { arrived, died } from "./counters.ts";
import { armTimer, dispatch } from "./handout.ts";
import { createHolders, createSeqSet, type FoundItem, type Step } from "./holders.ts";
import type { Lane } from "./lane.ts";
import { type Owed, readLedger } from "./ledger.ts";
import { openPages, type Pages } from "./pages.ts";
import type { LetterRow } from "./store.ts";
import { type Leaf, surveyPages } from "./survey.ts";

/** What a lane got back or lost: events that were waiting, events that were dead letters. */
export interface Tally {
  events: number;
  letters: number;
}

export interface Outcome {
  readonly saved: ReadonlyMap<string, Tally>;
  readonly lost: ReadonlyMap<string, Tally>;
}

/** `worked`: call again; `waits`: there is no room now. */
export type Pause = "worked" | "waits";

interface Found {
  readonly body: string;
  readonly items: readonly FoundItem[];
}

type Letter = Omit<LetterRow, "seq"> & { readonly lane: string };

interface Batch {
  bytes: number;
  readonly bodies: Found[];
  readonly letters: Letter[];
}

/** What is written in one go where there is room, and where there is little. */
const [batchBytes, smallBytes] = [1 << 20, 64 * 1024];

/** Names in the table of facts; another order of reading needs another number. */
export const rescueKey = (name: string): string => `rescue 1 ${name.slice(name.lastIndexOf("/") + 1)} `;

/** Whether so many bytes have room, and whether they may be stored now. */
export interface RescueRoom {
  fits(bytes: number): boolean;
  allows(bytes: number): boolean;
}

/** Ends when everything readable is in the living file. */
export function* rescue(core: Core, name: string, room: RescueRoom): Generator<Pause, Outcome> {
  const pages = openPages(name);
  try {
    return yield* rescueFrom(core, pages, readLedger(name), rescueKey(name), room);
  } finally {
    pages.close();
  }
}

function* rescueFrom(
  core: Core,
  pages: Pages,
  owed: Owed | undefined,
  key: string,
  room: RescueRoom,
): Generator<Pause, Outcome> {
  const survey = yield* working(surveyPages(pages));
  for (const [lane, { name }] of owed?.lanes ?? []) if (!survey.lanes.has(lane)) survey.lanes.set(lane, name);
  const holders = createHolders(pages, survey, owed);
  yield* working(holders.count());
  const doubt = doubtOf(owed);
  const imported = createSeqSet();
  const nameOf = (lane: number) => survey.lanes.get(lane) as string;
  const saved = readSaved(core, key);

  /** Writes the batch and the place behind it; false: not now. */
  const write = (batch: Batch, place: number): boolean => {
    const { bodies, letters } = batch;
    // Where nothing is left to deliver nothing will make room: the disk itself says whether it fits.
    if (batch.bytes > 0 && !room.allows(batch.bytes) && [...core.lanes.values()].some((lane) => lane.total > 0))
      return false;
    const added: Added[] = [];
    const buried: Letter[] = [];
    try {
      core.store.begin();
      for (const found of bodies) added.push(...addFound(core, found, nameOf));
      for (const letter of letters) {
        const lane = storedLane(core, letter.lane);
        if (core.store.addDead(lane.key, letter)) buried.push(letter);
      }
      const next = new Map([...saved].map(([lane, t]) => [lane, { ...t }]));
      for (const { item, lane } of added)
        if (!doubt.came(item.lane, item.seq)) tallyOf(next, lane.name).events += item.count;
      for (const letter of buried) tallyOf(next, letter.lane).letters += letter.count;
      core.store.setMeta(`${key}place`, place);
      for (const [lane, t] of next) {
        core.store.setMeta(`${key}events ${lane}`, t.events);
        core.store.setMeta(`${key}letters ${lane}`, t.letters);
      }
      core.store.commit();
      for (const [lane, t] of next) saved.set(lane, t);
    } catch (error) {
      core.store.rollback();
      core.failed(error);
      return false;
    }
    for (const { item } of added) doubt.found(item.lane, item.seq);
    for (const letter of buried) died(laneOf(core, letter.lane), letter.count);
    handOut(core, added);
    return true;
  };

  const isDone = (lane: number, seq: number) => core.finished.has(itemKey(nameOf(lane), seq));
  const wanted = ({ lane, seq }: FoundItem) => seq === 0 || (!isDone(lane, seq) && imported.add(lane, seq));
  const steps = holders.steps();
  let place = core.store.readMeta(`${key}place`);
  let batch: Batch = { bytes: 0, bodies: [], letters: [] };
  const full = () => batch.bytes >= batchBytes || (batch.bytes >= smallBytes && !room.fits(2 * batchBytes));
  for (let at = place; at < steps.length + survey.letters.length; at++) {
    const step = steps[at];
    if (step) {
      yield* working(holders.open(step));
      readBodies(pages, step, batch, (row) => holders.of(row).filter(wanted));
    } else readLetters(pages, survey.letters[at - steps.length] as Leaf, batch, survey.lanes);
    if (!full()) {
      yield "worked";
      continue;
    }
    while (!write(batch, at + 1)) yield "waits";
    place = at + 1;
    batch = { bytes: 0, bodies: [], letters: [] };
    yield "worked";
  }
  while (!write(batch, steps.length + survey.letters.length)) yield "waits";

  const seen = new Map([...holders.events].map(([lane, events]) => [nameOf(lane), { events, letters: 0 }]));
  const due = owed ? owedOf(owed, doubt) : seen;
  for (const [lane, name] of survey.lanes)
    for (const [item, events] of core.finished) {
      const at = item.lastIndexOf(" ");
      if (item.slice(0, at) !== name) continue;
      core.finished.delete(item);
      if (!imported.has(lane, Number(item.slice(at)))) tallyOf(due, name).events -= events;
    }
  const lost = new Map<string, Tally>();
  for (const [lane, want] of due) {
    const { events, letters } = tallyOf(saved, lane);
    const short = { events: Math.max(0, want.events - events), letters: Math.max(0, want.letters - letters) };
    if (short.events + short.letters > 0) lost.set(lane, short);
  }
  return { saved, lost };
}

/** Runs a part that only reads. */
function* working<T>(part: Generator<void, T>): Generator<Pause, T> {
  for (;;) {
    const { done, value } = part.next();
    if (done) return value;
    yield "worked";
  }
}

const tallyOf = (tallies: Map<string, Tally>, lane: string): Tally => {
  const tally = tallies.get(lane) ?? { events: 0, letters: 0 };
  tallies.set(lane, tally);
  return tally;
};

function readSaved(core: Core, key: string): Map<string, Tally> {
  const saved = new Map<string, Tally>();
  for (const what of ["events", "letters"] as const)
    for (const { name, value } of core.store.metaUnder(`${key}${what} `))
      tallyOf(saved, name.slice(`${key}${what} `.length))[what] = value;
  return saved;
}

function readBodies(pages: Pages, step: Step, batch: Batch, holdersOf: (row: Row) => FoundItem[]): void {
  for (const row of parsePage(pages, pages.read(step.page), step.page)?.rows ?? []) {
    if (row.kind !== "body" || row.rowid < step.low || row.rowid >= step.high) continue;
    const text = row.text();
    // What cannot be read is missing from what is saved.
    if (text?.crc !== row.values[1]) continue;
    const items = holdersOf(row);
    if (items.length === 0) continue;
    batch.bodies.push({ body: text?.bytes.toString() ?? "", items });
    batch.bytes += 512 + (text?.bytes.length ?? 0);
  }
}

function readLetters(pages: Pages, leaf: Leaf, batch: Batch, lanes: ReadonlyMap<number, string>): void {
  for (const row of parsePage(pages, pages.read(leaf.page), leaf.page)?.rows ?? []) {
    const [, lane, id, at, died, count, why] = row.values as [null, number, string, number, number, number, string];
    const name = lanes.get(lane);
    if (row.kind !== "dead" || name === undefined || !(count > 0)) continue;
    const text = row.text();
    if (!text) continue;
    batch.letters.push({ lane: name, id, at, died, count, why, body: text.bytes.toString() });
    batch.bytes += 512 + text.bytes.length;
  }
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

function addFound(core: Core, { body, items }: Found, nameOf: (lane: number) => string): Added[] {
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

/** The transaction that may or may not stand when its owner died: what it brought and took is told by what is found. */
function doubtOf(owed: Owed | undefined) {
  const key = (lane: number, seq: number) => `${lane} ${seq}`;
  const came = new Set<string>();
  const went = new Map<string, { lane: number; count: number }>();
  for (const { what, lane, seq, count } of owed?.doubt ?? []) {
    if (what === "add") came.add(key(lane, seq));
    else if (what !== "dead") went.set(key(lane, seq), { lane, count });
  }
  return {
    came: (lane: number, seq: number) => came.has(key(lane, seq)),
    found: (lane: number, seq: number) => void went.delete(key(lane, seq)),
    /** Gone for good: nobody owes them. */
    went: () => went.values(),
  };
}

function owedOf(owed: Owed, doubt: ReturnType<typeof doubtOf>): Map<string, Tally> {
  const wanted = new Map([...owed.lanes.values()].map((l) => [l.name, { events: l.live, letters: l.dead }]));
  for (const { lane, count } of doubt.went()) {
    const want = wanted.get(owed.lanes.get(lane)?.name ?? "");
    if (want) want.events -= count;
  }
  return wanted;
}
