/**
 * The queue on Redis, through BullMQ: one job is one chunk, one BullMQ queue is one lane. A settlement is not one
 * transaction here (lanes may live on different servers): children and dead letters are written first, under ids that
 * make repeating them harmless, then the job ends. A crash in between repeats the item; nothing is lost.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type Handling, noHandling, reasonOf } from "../handling.ts";
import { letterIds } from "../ids.ts";
import { createMemory, type Memory } from "../memory.ts";
import {
  type Chunk,
  type Consumer,
  type Handle,
  type Item,
  type Queue,
  QueueError,
  type Settlement,
} from "../queue.ts";
import { openQueueClock } from "../queue-clock.ts";
import type { QueueLog } from "../sqlite/core.ts";
import { openBodies } from "./bodies.ts";
import { createBodyCache, createPacker } from "./body.ts";
import { connectRedis, liesTogether, type RedisSettings, toQueueError, trackCopies } from "./connect.ts";
import { consumeRedis } from "./consume.ts";
import { openDepths } from "./depth.ts";
import { type RedisFacts, readFacts } from "./facts.ts";
import { openForgetting } from "./forget.ts";
import { type BullLane, baseOf, openBullLane } from "./lane.ts";
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

const factsEveryMs = 30_000;

/** Returns at once, also while Redis is away: pushes are refused until it is there. */
export function openRedisQueue(settings: RedisQueueSettings): RedisQueue {
  const prefix = settings.prefix ?? "eyrie";
  const timeoutMs = settings.commandTimeoutMs ?? 1500;
  const log = settings.log ?? (() => {});
  const pushing = connectRedis(settings, "push", timeoutMs);
  const working = connectRedis(settings, "work", timeoutMs);
  workWhenFull(working);
  const blocking = trackCopies(working);
  const room = watchRoom(pushing);
  const clock = openQueueClock(pushing, prefix, settings.now, settings.monotonic);
  const lanes = new Map<string, Promise<BullLane>>();
  const consumers = new Set<ReturnType<typeof consumeRedis>>();
  const memory = settings.memory ?? createMemory();
  const cache = createBodyCache(memory.cacheBytes);
  const handling = settings.handling ?? noHandling;
  const pack = createPacker();
  const oneSlot = liesTogether(pushing, prefix);
  const bodies = openBodies({ pushing, working, prefix, oneSlot, now: settings.now });
  const forgetting = openForgetting(working, prefix, bodies, oneSlot);
  const depths = openDepths(pushing, (lane) => baseOf(prefix, lane), oneSlot);
  let facts: RedisFacts = { durable: true, warnings: [] };
  let replaced = 0;
  /** Why Redis did not do what it was asked last. */
  let refusal: string | undefined;
  let closed = false;

  const watch = watchRedis(pushing, (reason) => log("warn", `queue: ${reason}`));
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) throw new QueueError("closed", "the queue is closed");
    if (!watch.connected()) await watch.firstContact(timeoutMs);
    try {
      const result = await work();
      refusal = undefined;
      return result;
    } catch (error) {
      const refused = toQueueError(error);
      refusal = refused.message;
      if (refused.kind === "full") room.refused();
      throw refused;
    }
  };

  const open = (name: string): Promise<BullLane> => {
    let lane = lanes.get(name);
    if (!lane) {
      lane = openLane(name);
      lanes.set(name, lane);
      lane.catch(() => lanes.delete(name));
    }
    return lane;
  };
  const bounds = { letters: settings.letters ?? 100_000, bytes: settings.letterBytes ?? 1024 ** 3 };
  const openLane = async (name: string): Promise<BullLane> => {
    const lane = openBullLane(name, pushing, prefix, bounds, clock.now);
    try {
      await lane.ready();
      // A full Redis takes no member, not even one that it has.
      if ((await pushing.sismember(`${prefix}:lanes`, name)) === 0) await pushing.sadd(`${prefix}:lanes`, name);
      return lane;
    } catch (error) {
      lane.close().catch(() => {});
      throw error;
    }
  };

  const { push, missing } = openPush({ bodies, oneSlot, pack, now: clock.now, open });
  const add = async (chunks: readonly Chunk[]): Promise<void> => {
    for (const [c, { packed }] of await push(chunks))
      cache.keep(c.lane, c.id, c.attempt ?? 0, packed, c.body, c.decoded);
  };

  const write = (item: Item, { next, dead }: Settlement, overflow?: Overflow) =>
    guard(async () => {
      if (dead?.length) {
        const at = { lane: item.lane, at: item.at, diedAt: settings.now() };
        const lane = await open(item.lane);
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

  const checkFacts = async () => {
    try {
      const now = await readFacts(pushing, settings.durability === "full");
      for (const w of now.warnings) if (!facts.warnings.includes(w)) log("warn", `queue: ${w}`);
      facts = now;
    } catch {
      // Redis is away: what was known of it still stands.
    }
  };
  /** What the process before this one died of; asked again until Redis takes it, but nobody waits for ever. */
  const countDeaths = async () => {
    for (const { lane, id } of handling.found)
      while (!closed) {
        try {
          await guard(async () => (await open(lane)).countDeath(id));
          break;
        } catch {
          await sleep(500);
        }
      }
    handling.counted();
  };
  const deathsCounted = countDeaths();

  const factsTimer = setInterval(() => void checkFacts(), factsEveryMs).unref();
  pushing.on("ready", () => void checkFacts());

  return {
    push: (chunks) => (chunks.length === 0 ? Promise.resolve() : guard(() => add(chunks))),
    isFull: room.isFull,
    missing,
    ping: () => guard(async () => void (await pushing.ping())),
    consume(lane, handle, parallel, overflow) {
      const inner = consumeRedis(
        {
          client: working,
          prefix,
          lane,
          lockMs: settings.lockMs ?? 15_000,
          throwDelayMs: settings.throwDelayMs ?? 1000,
          stuckMs: settings.stuckMs ?? 10_000,
          log,
          clock,
          open,
          write: (item, settlement) => write(item, settlement, overflow),
          handling,
          deathsCounted,
          putAside: (why, events) => {
            log("error", `queue: ${events} events in lane ${lane} became dead letters (${why})`);
            settings.onDead?.(lane, reasonOf(why), events);
          },
          cache,
          memory,
          pack,
          bodies,
          forgetting,
          replaced: (name) => {
            replaced++;
            log("warn", `queue: the worker of ${name} had stopped fetching and was replaced`);
            settings.onReplaced?.(name);
          },
        },
        handle,
        parallel,
      );
      consumers.add(inner);
      return {
        ...inner,
        close: async (deadlineMs) => {
          await inner.close(deadlineMs);
          consumers.delete(inner);
        },
      };
    },
    during: handling.during,
    state: (name) => ({ get: (key) => guard(async () => (await open(name)).state.get(key)) }),
    depth: (name) => guard(() => depths.of(name)),
    lanes: () => guard(async () => depths.filled(await pushing.smembers(`${prefix}:lanes`))),
    dead: (name, limit, after) => guard(async () => (await open(name)).letters(limit, after)),
    redrive: async (name, ids, steps) => moveLetters(await guard(() => open(name)), guard, ids, push, steps),
    discard: async (name, ids, steps) => moveLetters(await guard(() => open(name)), guard, ids, async () => {}, steps),
    status: () => ({
      driver: "redis",
      writable: !closed && watch.connected() && refusal === undefined,
      durable: facts.durable,
      warnings: [
        ...facts.warnings,
        ...[watch.trouble() ?? refusal].filter((reason) => reason !== undefined),
        ...(replaced > 0 ? [`${replaced} workers had stopped fetching and were replaced`] : []),
      ],
    }),
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(factsTimer);
      room.close();
      clock.close();
      bodies.close();
      await Promise.all([...consumers].map((c) => c.close(0)));
      for (const lane of lanes.values()) lane.then((l) => l.close()).catch(() => {});
      for (const client of [pushing, working, ...blocking]) client.disconnect();
      handling.close();
    },
  };
}
