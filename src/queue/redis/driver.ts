/**
 * The queue on Redis, through BullMQ: one job is one chunk, one BullMQ queue is one lane. A settlement is not one
 * transaction here (lanes may live on different servers): children and dead letters are written first, under ids that
 * make repeating them harmless, then the job ends. A crash in between repeats the item; nothing is lost.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type Handling, noHandling, reasonOf } from "../handling.ts";
import { letterIds } from "../ids.ts";
import { createMemory, type Memory } from "../memory.ts";
import type { Chunk, Consumer, Handle, Item, LetterSteps, Queue, QueueStatus, Settlement } from "../queue.ts";
import { openQueueClock } from "../queue-clock.ts";
import type { QueueLog } from "../sqlite/core.ts";
import { openBodies } from "./bodies.ts";
import { createBodyCache, createPacker } from "./body.ts";
import { connectRedis, liesTogether, type RedisSettings, toQueueError, trackCopies } from "./connect.ts";
import { type ConsumeFacts, consumeRedis } from "./consume.ts";
import { openDepths } from "./depth.ts";
import { type RedisFacts, watchFacts } from "./facts.ts";
import { openForgetting } from "./forget.ts";
import { createGuard } from "./guard.ts";
import { baseOf } from "./lane.ts";
import { openLanes } from "./lanes.ts";
import { moveLetters } from "./letters.ts";
import { openPush } from "./push.ts";
import { watchRoom, workWhenFull } from "./room.ts";
import { watchRedis } from "./watch.ts";

export interface RedisQueueSettings extends RedisSettings {
  /** First part of every key. Default `eyrie`. */
  readonly prefix?: string;
  /** `full` asks for appendfsync always as well. */
  readonly durability?: "normal" | "full";
  readonly now: () => number;
  /** Milliseconds that only go forward; the process's own by default. */
  readonly monotonic?: () => number;
  readonly log?: QueueLog;
  /** A push that Redis does not answer in this time is refused. Default 1500. */
  readonly commandTimeoutMs?: number;
  /** A worker's claim on a chunk; after the worker's death the chunk comes back within twice this. Default 15000. */
  readonly lockMs?: number;
  /** How long an item rests whose handler threw. Default 1000. */
  readonly throwDelayMs?: number;
  /** A worker that fetches nothing for this long while chunks wait is replaced. Default 10000. */
  readonly stuckMs?: number;
  /** Where it is written down what is being handled; absent: items that kill processes are not recognised. */
  readonly handling?: Handling;
  /** Events became dead letters that no handler gave up: `poison`, `corrupt`. */
  readonly onDead?: (lane: string, reason: string, events: number) => void;
  /** Shared with other queues of the process; absent: the default budget. */
  readonly memory?: Memory;
  /** Bytes of dead letters that a lane keeps. Default 1 GiB. */
  readonly letterBytes?: number;
  /** Letters that a lane keeps, too. Default 100,000. */
  readonly letters?: number;
  /** Events of dead letters were dropped to keep to these. */
  readonly onDropped?: (lane: string, events: number) => void;
  /** A worker was replaced by the watchdog. */
  readonly onReplaced?: (lane: string) => void;
}

type Overflow = (chunks: readonly Chunk[]) => Promise<void>;

export interface RedisQueue extends Queue {
  /** Resolves when Redis answers; rejects with QueueError. */
  ping(): Promise<void>;
  /** `overflow` keeps children that a full Redis refuses. */
  consume(lane: string, handle: Handle, parallel: number, overflow?: Overflow): Consumer;
  /** Redis is at its maxmemory, or near it: pushes are refused or will be soon. */
  isFull(): boolean;
  /** Chunks that a refused push did not leave there; all when that cannot be told. */
  missing(chunks: readonly Chunk[]): Promise<readonly Chunk[]>;
}

/** Returns at once, also while Redis is away: pushes are refused until it is there. */
export function openRedisQueue(settings: RedisQueueSettings): RedisQueue {
  const parts = openParts(settings);
  const { guard, lanes, pushing, prefix, room, clock, bodies, depths, handling, log } = parts;
  const { push, missing } = openPush({ ...parts, now: clock.now, open: lanes.open });
  const add = async (chunks: readonly Chunk[]): Promise<void> => {
    for (const [c, { packed }] of await push(chunks))
      parts.cache.keep(c.lane, c.id, c.attempt ?? 0, packed, c.body, c.decoded);
  };
  const write = openWrite({ settings, parts, add, missing });
  const watching = watchFacts(pushing, settings.durability === "full", (warning) => log("warn", `queue: ${warning}`));
  const deathsCounted = countDeaths(parts);
  const consumers = new Set<Consumer>();
  let replaced = 0;
  const facts = (lane: string, overflow?: Overflow): ConsumeFacts => ({
    ...parts,
    client: parts.working,
    lane,
    lockMs: settings.lockMs ?? 15_000,
    throwDelayMs: settings.throwDelayMs ?? 1000,
    stuckMs: settings.stuckMs ?? 10_000,
    open: lanes.open,
    write: (item, settlement) => write(item, settlement, overflow),
    deathsCounted,
    putAside: (why, events) => {
      log("error", `queue: ${events} events in lane ${lane} became dead letters (${why})`);
      settings.onDead?.(lane, reasonOf(why), events);
    },
    replaced: (name) => {
      replaced++;
      log("warn", `queue: the worker of ${name} had stopped fetching and was replaced`);
      settings.onReplaced?.(name);
    },
  });
  const move = async (name: string, ...[ids, to, steps]: Moving) =>
    moveLetters(await guard.ask(() => lanes.open(name)), guard.ask, ids, to, steps);
  return {
    push: (chunks) => (chunks.length === 0 ? Promise.resolve() : guard.ask(() => add(chunks))),
    isFull: room.isFull,
    missing,
    ping: () => guard.ask(async () => void (await pushing.ping())),
    consume: (lane, handle, parallel, overflow) => {
      const inner = consumeRedis(facts(lane, overflow), handle, parallel);
      consumers.add(inner);
      return { ...inner, close: (deadlineMs) => inner.close(deadlineMs).finally(() => consumers.delete(inner)) };
    },
    during: handling.during,
    state: (name) => ({ get: (key) => guard.ask(async () => (await lanes.open(name)).state.get(key)) }),
    depth: (name) => guard.ask(() => depths.of(name)),
    lanes: () => guard.ask(async () => depths.filled(await pushing.smembers(`${prefix}:lanes`))),
    dead: (name, limit, after) => guard.ask(async () => (await lanes.open(name)).letters(limit, after)),
    redrive: (name, ids, steps) => move(name, ids, push, steps),
    discard: (name, ids, steps) => move(name, ids, async () => {}, steps),
    status: () => statusOf(parts, watching.facts(), replaced),
    close: async () => {
      if (!guard.close()) return;
      for (const each of [watching, room, clock, bodies]) each.close();
      await Promise.all([...consumers].map((c) => c.close(0)));
      lanes.close();
      for (const client of [pushing, parts.working, ...parts.blocking]) client.disconnect();
      handling.close();
    },
  };
}

/** Letters by id or all, where they go, and who hears of it. */
type Moving = [
  ids: readonly string[] | undefined,
  to: Parameters<typeof moveLetters>[3],
  steps: LetterSteps | undefined,
];

type Parts = ReturnType<typeof openParts>;

/** What the queue is made of: connections, and what lies on them. */
function openParts(settings: RedisQueueSettings) {
  const prefix = settings.prefix ?? "eyrie";
  const timeoutMs = settings.commandTimeoutMs ?? 1500;
  const log: QueueLog = settings.log ?? (() => {});
  const pushing = connectRedis(settings, "push", timeoutMs);
  const working = connectRedis(settings, "work", timeoutMs);
  workWhenFull(working);
  const blocking = trackCopies(working);
  const room = watchRoom(pushing);
  const clock = openQueueClock(pushing, prefix, settings.now, settings.monotonic);
  const watch = watchRedis(pushing, (reason) => log("warn", `queue: ${reason}`));
  const guard = createGuard({
    connected: watch.connected,
    firstContact: () => watch.firstContact(timeoutMs),
    full: room.refused,
  });
  const bounds = { letters: settings.letters ?? 100_000, bytes: settings.letterBytes ?? 1024 ** 3 };
  const memory = settings.memory ?? createMemory();
  const oneSlot = liesTogether(pushing, prefix);
  const bodies = openBodies({ pushing, working, prefix, oneSlot, now: settings.now });
  return {
    ...{ prefix, log, pushing, working, blocking, room, clock, watch, guard, memory, oneSlot, bodies },
    lanes: openLanes(pushing, prefix, bounds, clock.now),
    cache: createBodyCache(memory.cacheBytes),
    handling: settings.handling ?? noHandling,
    pack: createPacker(),
    forgetting: openForgetting(working, prefix, bodies, oneSlot),
    depths: openDepths(pushing, (lane) => baseOf(prefix, lane), oneSlot),
  };
}

interface WriteParts {
  readonly settings: RedisQueueSettings;
  readonly parts: Parts;
  readonly add: (chunks: readonly Chunk[]) => Promise<void>;
  readonly missing: RedisQueue["missing"];
}

/** Writes what an item leaves behind: letters, then children; those that a full Redis refuses go to `overflow`. */
const openWrite =
  ({ settings, parts: { guard, lanes, room }, add, missing }: WriteParts) =>
  (item: Item, { next, dead }: Settlement, overflow?: Overflow): Promise<void> =>
    guard.ask(async () => {
      if (dead?.length) {
        const at = { lane: item.lane, at: item.at, diedAt: settings.now() };
        const lane = await lanes.open(item.lane);
        const ids = letterIds(item, dead);
        const dropped = await lane.bury(dead.map((d, i) => ({ ...d, ...at, id: ids[i] ?? "" })));
        if (dropped > 0) settings.onDropped?.(item.lane, dropped);
      }
      if (!next?.length) return;
      await add(next).catch(async (error: unknown) => {
        const refused = toQueueError(error);
        if (refused.kind !== "full" || !overflow) throw refused;
        room.refused();
        await overflow(await missing(next));
      });
    });

/** What the process before this one died of; asked again until Redis takes it, but nobody waits for ever. */
async function countDeaths({ handling, guard, lanes }: Parts): Promise<void> {
  for (const { lane, id } of handling.found)
    while (!guard.closed()) {
      try {
        await guard.ask(async () => (await lanes.open(lane)).countDeath(id));
        break;
      } catch {
        await sleep(500);
      }
    }
  handling.counted();
}

const statusOf = ({ guard, watch }: Parts, facts: RedisFacts, replaced: number): QueueStatus => ({
  driver: "redis",
  writable: !guard.closed() && watch.connected() && guard.refusal() === undefined,
  durable: facts.durable,
  warnings: [
    ...facts.warnings,
    ...[watch.trouble() ?? guard.refusal()].filter((reason) => reason !== undefined),
    ...(replaced > 0 ? [`${replaced} workers had stopped fetching and were replaced`] : []),
  ],
});
