/**
 * Reads one damaged queue file back into the living one, a little at a time. Each transaction keeps the place with what
 * it brings, so that a death costs nothing and nothing comes twice; without room it waits until there is some.
 */

import type { Tally } from "../queue.ts";
import { BringBack, type Pause, type Reached, type RescueRoom } from "./bring-back.ts";
import { type Core, itemKey } from "./core.ts";
import { createDoubt, type Doubt } from "./doubt.ts";
import { createSeqSet, type FoundItem, Holders } from "./holders.ts";
import { type Owed, readLedger } from "./ledger.ts";
import { openPages, type Pages } from "./pages.ts";
import { bodiesOf, lettersOf } from "./pieces.ts";
import { type Leaf, surveyPages } from "./survey.ts";
import { type Tallies, tallyOf } from "./tally.ts";

export interface Outcome {
  readonly saved: ReadonlyMap<string, Tally>;
  readonly lost: ReadonlyMap<string, Tally>;
}

/** Names in the table of facts; another order of reading needs another number. */
export const rescueKey = (name: string): string => `rescue 1 ${name.slice(name.lastIndexOf("/") + 1)} `;

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
  const holders = new Holders(pages, survey, owed);
  yield* working(holders.count());
  const doubt = createDoubt(owed);
  const imported = createSeqSet();
  const nameOf = (lane: number) => survey.lanes.get(lane) as string;
  const isDone = (lane: number, seq: number) => core.finished.has(itemKey(nameOf(lane), seq));
  const wanted = ({ lane, seq }: FoundItem) => seq === 0 || (!isDone(lane, seq) && imported.add(lane, seq));

  const back = new BringBack(core, key, room, { doubt, nameOf });
  const steps = holders.steps();
  const all = steps.length + survey.letters.length;
  const begin: Reached = back.place();
  for (let at = begin.step; at < all; at++) {
    const after = at === begin.step ? begin.row : 0;
    const step = steps[at];
    if (step) yield* working(holders.open(step));
    const pieces = step
      ? bodiesOf(pages, step, after, (row) => holders.of(row).filter(wanted))
      : lettersOf(pages, survey.letters[at - steps.length] as Leaf, after, survey.lanes);
    back.add(at, pieces);
    if (back.isMuch()) yield* back.write(at + 1);
    else yield "worked";
  }
  yield* back.write(all);

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
    const { events, letters } = tallyOf(back.saved, lane);
    const short = { events: Math.max(0, want.events - events), letters: Math.max(0, want.letters - letters) };
    if (short.events + short.letters > 0) lost.set(lane, short);
  }
  return { saved: back.saved, lost };
}

/** Runs a part that only reads. */
function* working<T>(part: Generator<void, T>): Generator<Pause, T> {
  for (;;) {
    const { done, value } = part.next();
    if (done) return value;
    yield "worked";
  }
}

function owedOf(owed: Owed, doubt: Doubt): Tallies {
  const wanted: Tallies = new Map([...owed.lanes.values()].map((l) => [l.name, { events: l.live, letters: l.dead }]));
  for (const { lane, count } of doubt.went()) {
    const want = wanted.get(owed.lanes.get(lane)?.name ?? "");
    if (want) want.events -= count;
  }
  return wanted;
}
