/** Hands items to consumers, oldest first, and takes what they settle. */

import { corruptReason } from "../handling.ts";
import { weightOf } from "../memory.ts";
import type { Item, Settlement } from "../queue.ts";
import { refusedState } from "../state.ts";
import { admitAll, freeMemory, refuse } from "./admit.ts";
import { type Core, itemKey } from "./core.ts";
import { givenBack, taken } from "./counters.ts";
import type { Lane, Rec, Slot } from "./lane.ts";
import { Damaged } from "./open.ts";
import type { Staged } from "./states.ts";
import { nextRec, rest } from "./window.ts";
import type { Settled } from "./write.ts";

/** Results that wait for a write while slots are still freed at once. */
const mostUnwritten = 500;

/** As nextRec; an item that a process died of is handed out when nothing else of its lane is in hand, and nothing beside it. */
function nextInTurn(core: Core, lane: Lane): Rec | undefined {
  if (lane.alone) return undefined;
  const rec = lane.next?.state === "gone" ? nextRec(core, lane) : (lane.next ?? nextRec(core, lane));
  lane.next = undefined;
  if (!rec) return undefined;
  const mustWait = rec.crashes > 0 && lane.slots.some((slot) => slot.inHand > 0);
  if (mustWait || !hasMemory(core, rec)) {
    lane.next = rec;
    return undefined;
  }
  if (rec.crashes > 0) lane.alone = rec;
  return rec;
}

/** False: not now; the lane is looked at again when it may have the memory that the item takes. */
function hasMemory(core: Core, rec: Rec): boolean {
  try {
    rec.bytes ??= rec.body?.length ?? core.store.bodyBytes(rec.bodySeq);
  } catch {
    // Reading the body itself tells what is wrong.
    rec.bytes = 0;
  }
  rec.grant = core.memory.take(rec.lane.tenant, weightOf(rec.bytes, rec.count));
  return rec.grant !== undefined;
}

export function dispatch(core: Core, lane: Lane): void {
  if (core.sick || lane.restUntil > core.clock()) return;
  for (const slot of lane.slots) {
    while (!core.closed && !slot.closed && !slot.paused && slot.inHand < slot.parallel) {
      const rec = nextInTurn(core, lane);
      if (!rec) return;
      take(core, slot, rec);
      // What was taken could not be read.
      if (core.sick || lane.restUntil > core.clock()) return;
    }
  }
}

function take(core: Core, slot: Slot, rec: Rec): void {
  slot.inHand++;
  slot.recs.add(rec);
  rec.turn++;
  taken(rec);
  core.cache.drop(rec);
  core.handling.during([{ lane: rec.lane.name, id: rec.id }], () => start(core, slot, rec));
}

/** Undefined: there is none, and the item has been settled or has gone back. */
function readText(core: Core, slot: Slot, rec: Rec): string | undefined {
  try {
    const text = core.store.readBody(rec.bodySeq);
    if (typeof text === "string") return text;
    // A body that is not where it belongs, or any in a file that was never looked at as a whole: others may be hidden.
    if (text === undefined || !core.checked) throw new Damaged("a body is missing");
  } catch (error) {
    core.failed(error);
    // The rescue brings it back, if anything does.
    if (core.sick) return undefined;
    giveBack(core, slot, rec);
    rest(core, rec.lane);
    return undefined;
  }
  core.putAside(rec.lane.name, corruptReason, rec.count);
  const dead = [{ body: "", count: rec.count, why: corruptReason }];
  finish(core, slot, rec, rec.turn, "", { dead }, false);
  return undefined;
}

function start(core: Core, slot: Slot, rec: Rec): void {
  const { turn } = rec;
  const text = rec.body ?? readText(core, slot, rec);
  if (text === undefined) return;
  const item: Item = {
    lane: rec.lane.name,
    id: rec.id,
    body: text,
    count: rec.count,
    at: rec.at,
    attempt: rec.attempt,
    ...(rec.decoded === undefined ? undefined : { decoded: rec.decoded }),
    ...(rec.crashes > 0 && { alone: true as const }),
    ...(rec.conflict && { conflict: true as const }),
  };
  rec.conflict = false;
  const threw = (error: unknown) => {
    core.log("error", `queue: a consumer of ${rec.lane.name} failed: ${(error as Error)?.message ?? "no reason"}`);
    const retry = { body: text, count: rec.count, inMs: core.throwDelayMs };
    finish(core, slot, rec, turn, text, { retry }, true);
  };
  // A new item's text is still to be written; everything else needs it no longer.
  if (rec.state === "stored") rec.body = rec.decoded = undefined;
  try {
    slot.handle(item).then((s) => finish(core, slot, rec, turn, text, allowed(core, rec, text, s), false), threw);
  } catch (error) {
    threw(error);
  }
}

/** State that is too large makes a dead letter of the item. */
function allowed(core: Core, rec: Rec, body: string, settlement: Settlement): Settlement {
  const why = settlement.state && refusedState(settlement.state);
  if (why === undefined) return settlement;
  core.putAside(rec.lane.name, why, rec.count);
  return { dead: [{ body, count: rec.count, why }] };
}

function finish(
  core: Core,
  slot: Slot,
  rec: Rec,
  turn: number,
  body: string,
  settlement: Settlement,
  asItWas: boolean,
): void {
  if (rec.turn !== turn || core.closed) {
    if (rec.state === "aside" && isOver(settlement)) core.finished.set(itemKey(rec.lane.name, rec.seq), rec.count);
    return;
  }
  if (rec.state === "gone") {
    release(core, slot, rec);
    return;
  }
  let changes: readonly Staged[] | undefined;
  try {
    changes = settlement.state?.length ? core.states.stage(rec.lane.key, settlement.state) : [];
  } catch (error) {
    core.failed(error);
  }
  if (!changes) {
    giveBack(core, slot, rec);
    [rec.body, rec.conflict] = [body, true];
    dispatch(core, rec.lane);
    return;
  }
  // While writes succeed a slot is free at once; on a full disk, or behind many results, it waits for the write: memory holds
  // no pile of them, and a handler that waits for nothing leaves others their turn.
  const end = () => release(core, slot, rec);
  const now = core.writable && !slot.closed && core.batch.settled.length < mostUnwritten;
  // Its memory is held until its outcome is written.
  const { grant } = rec;
  rec.grant = undefined;
  rec.lane.tenant.last = settlement.retry ? "failed" : "taken";
  const free = () => {
    core.memory.give(grant);
    if (!now) end();
  };
  const children: Rec[] = [];
  try {
    if (changes.length === 0) admitAll(core, settlement.next ?? [], (child) => children.push(child));
    core.batch.settled.push({ rec, turn, body, settlement, children, changes, asItWas, free });
  } catch (error) {
    // Without all of its children the item is not finished: it is handled once more.
    core.failed(error);
    for (const child of children) refuse(core, child);
    const retry = { body, count: rec.count, inMs: core.throwDelayMs };
    core.batch.settled.push({ rec, turn, body, settlement: { retry }, children: [], changes: [], asItWas: true, free });
  }
  if (now) end();
  core.schedule();
}

/** Nothing of what it was settled with happened: it is handled again. */
export function handAgain({ rec, body, turn }: Pick<Settled, "rec" | "body" | "turn">): void {
  // It may have gone back to its lane, and more, before this was known.
  if (rec.turn !== turn || rec.state === "gone") return;
  givenBack(rec);
  rec.turn++;
  [rec.body, rec.conflict] = [body, true];
  rec.lane.late.push(rec);
}

/** Nothing is to be kept of the item. */
export const isOver = ({ next, dead, retry }: Settlement): boolean =>
  !retry && (next ?? []).length + (dead ?? []).length === 0;

function release(core: Core, slot: Slot, rec: Rec): void {
  if (!slot.recs.delete(rec)) return;
  slot.inHand--;
  freeMemory(core, rec);
  if (rec.lane.alone === rec) rec.lane.alone = undefined;
  if (slot.inHand === 0) slot.idle?.();
  dispatch(core, rec.lane);
}

/** An item that nobody finished goes back to the front of its lane. */
function giveBack(core: Core, slot: Slot, rec: Rec): void {
  if (!slot.recs.delete(rec)) return;
  slot.inHand--;
  freeMemory(core, rec);
  if (rec.lane.alone === rec) rec.lane.alone = undefined;
  rec.turn++;
  givenBack(rec);
  if (rec.state !== "gone") rec.lane.late.push(rec);
  if (slot.inHand === 0) slot.idle?.();
}

/** Hands nothing more to them; what they have in hand at the deadline goes back. */
export async function closeSlots(core: Core, slots: readonly Slot[], deadlineMs: number): Promise<void> {
  for (const slot of slots) slot.closed = true;
  const idle = slots.filter((s) => s.inHand > 0).map((s) => new Promise<void>((resolve) => (s.idle = resolve)));
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
  if (idle.length > 0) await Promise.race([Promise.all(idle), deadline]);
  clearTimeout(timer);
  for (const slot of slots) for (const rec of [...slot.recs]) giveBack(core, slot, rec);
}
