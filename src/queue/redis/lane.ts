/** One lane in Redis: a BullMQ queue of chunk jobs, and the lane's dead letters beside it in the same hash slot. */

import { Queue as BullQueue, type JobJson } from "bullmq";
import type { Chunk, DeadLetter } from "../queue.ts";
import { pullBackScript } from "../queue-clock.ts";
import type { Packed } from "./body.ts";
import type { RedisClient } from "./connect.ts";
import { evenWhenFull } from "./room.ts";
import { openRedisState } from "./state.ts";

/** What a job carries: body, count, acceptance time, attempt, the stalls counted before this attempt. */
export type JobData = Packed & {
  readonly n: number;
  readonly t: number;
  readonly a: number;
  readonly s?: number;
  /** What a settlement of it that changed the lane's state has left to be done. */
  readonly o?: string;
};

/** Names and ids in keys: no colon (BullMQ), no brace (hash tags). */
const encode = (text: string) => text.replace(/[%:{}]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
/** The braces make a lane one hash slot; lanes spread over a Cluster. */
export const queueName = (lane: string): string => `{${encode(lane)}}`;
/** BullMQ refuses ids that are numbers. */
export const jobId = (id: string): string => `e${encode(id)}`;
export const idOf = (job: string): string => decodeURIComponent(job.slice(1));

/** A thrown error of BullMQ's own must never end a job: it comes back a second later, for ever. */
const jobOptions = { attempts: 1_000_000_000, backoff: { type: "fixed", delay: 1000 }, stackTraceLimit: 1 };

/** `now`: the queue's time. */
export const toJob = (chunk: Chunk, packed: Packed, now: number): JobJson => {
  const { count: n, at: t, attempt: a = 0, inMs = 0 } = chunk;
  const id = jobId(chunk.id);
  const isDelayed = inMs > 0;
  // BullMQ counts a delay from the job's own time: when its events were accepted stands in its name then.
  const timestamp = isDelayed ? Math.round(now) : t;
  return {
    id,
    name: isDelayed ? `${n} ${t}` : String(n),
    data: JSON.stringify({ ...packed, n, t, a } satisfies JobData),
    opts: { ...jobOptions, jobId: id, timestamp, ...(isDelayed && { delay: Math.ceil(inMs) }) },
    timestamp,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    failedReason: "",
    returnvalue: "",
  };
};

/** What the keys of a lane begin with. */
export const baseOf = (prefix: string, lane: string): string => `${prefix}:${queueName(lane)}:`;
/** A job's key without the prefix. */
export const holderOf = (lane: string, job: string): string => `${queueName(lane)}:${job}`;

/**
 * Dead letters: order in a sorted set, content in a hash, events and bytes in counters. A known id is not added again. Then
 * letters are dropped until the rest keep to the bounds: those that would not alone, then the oldest, no more than need be.
 * Returns the events dropped.
 */
const buryScript = evenWhenFull(`
local order, bodies, events, size = KEYS[1], KEYS[2], KEYS[3], KEYS[5]
local most, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local dropped = 0
for i = 3, #ARGV, 3 do
  if #ARGV[i + 2] > room then
    dropped = dropped + tonumber(ARGV[i + 1])
  elseif redis.call('HSETNX', bodies, ARGV[i], ARGV[i + 2]) == 1 then
    redis.call('ZADD', order, redis.call('INCR', KEYS[4]), ARGV[i])
    redis.call('INCRBY', events, ARGV[i + 1])
    redis.call('INCRBY', size, #ARGV[i + 2])
  end
end
while redis.call('ZCARD', order) > most or tonumber(redis.call('GET', size) or '0') > room do
  local id = redis.call('ZRANGE', order, 0, 0)[1]
  if not id then
    redis.call('DEL', size)
    break
  end
  local letter = redis.call('HGET', bodies, id)
  redis.call('ZREM', order, id)
  if letter then
    local count = tonumber(string.match(letter, '^(%d+) '))
    redis.call('HDEL', bodies, id)
    redis.call('DECRBY', events, count)
    if redis.call('DECRBY', size, #letter) < 0 then redis.call('SET', size, 0) end
    dropped = dropped + count
  end
end
return dropped`);

const exhumeScript = evenWhenFull(`
local found = 0
for i = 1, #ARGV do
  local letter = redis.call('HGET', KEYS[2], ARGV[i])
  if letter then
    redis.call('DECRBY', KEYS[3], tonumber(string.match(letter, '^(%d+) ')))
    if redis.call('DECRBY', KEYS[4], #letter) < 0 then redis.call('SET', KEYS[4], 0) end
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('ZREM', KEYS[1], ARGV[i])
    found = found + 1
  end
end
return found`);

/** Deaths of processes that handled a job, by its id; what the lane no longer holds is not counted. */
const countDeathScript = evenWhenFull(`
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HINCRBY', KEYS[1], ARGV[1], 1) end
return 0`);

/** What a lane keeps of its dead letters. */
export interface LetterBounds {
  readonly letters: number;
  readonly bytes: number;
}

export type BullLane = ReturnType<typeof openBullLane>;

export function openBullLane(
  name: string,
  client: RedisClient,
  prefix: string,
  bounds: LetterBounds,
  now: () => number,
) {
  const queue = new BullQueue(queueName(name), {
    connection: client,
    prefix,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    streams: { events: { maxLen: 1 } },
  });
  queue.on("error", () => {});
  const base = baseOf(prefix, name);
  const dead = ["dead", "dead-body", "dead-events", "dead-order", "dead-size"].map((k) => base + k);
  const [order = "", bodies = "", events = "", , size = ""] = dead;
  const read = async (ids: readonly string[]): Promise<DeadLetter[]> => {
    if (ids.length === 0) return [];
    const texts = await client.hmget(bodies, ...ids);
    return ids.flatMap((id, i) => (texts[i] ? [letterOf(name, id, texts[i])] : []));
  };
  const remove = async (ids: readonly string[]): Promise<number> =>
    ids.length === 0 ? 0 : Number(await client.eval(exhumeScript, 4, order, bodies, events, size, ...ids));

  return {
    queue,
    /** As BullMQ sees it. */
    client: queue.backend.client,
    state: openRedisState(client, base, now),
    /** Rejects when the first contact failed: the lane must be opened anew then. */
    ready: () => queue.waitUntilReady(),
    waiting: () => client.llen(`${base}wait`),
    /** Resolves with the events dropped to keep to the bounds. */
    bury: async (letters: readonly DeadLetter[]): Promise<number> => {
      const args = letters.flatMap(({ lane: _, id, ...rest }) => [
        id,
        rest.count,
        `${rest.count} ${JSON.stringify(rest)}`,
      ]);
      return Number(await client.eval(buryScript, 5, ...dead, bounds.letters, Math.floor(bounds.bytes), ...args));
    },
    letters: async (limit: number, after?: string): Promise<DeadLetter[]> => {
      let from = 0;
      if (after !== undefined) {
        const rank = await client.zrank(order, after);
        if (rank === null) return [];
        from = rank + 1;
      }
      return limit > 0 ? read(await client.zrange(order, String(from), String(from + limit - 1))) : [];
    },
    /** Place of the newest letter. */
    lastLetter: async (): Promise<string> => (await client.zrange(order, "-1", "-1", "WITHSCORES"))[1] ?? "-inf",
    /** The hundred oldest that are not newer than the one at `place`. */
    lettersUntil: async (place: string): Promise<DeadLetter[]> =>
      read(await client.zrangebyscore(order, "-inf", place, "LIMIT", "0", "100")),
    read,
    remove,
    /** Jobs that are due later than their delay allows; resolves with how many were moved. */
    pullBack: async (now: number): Promise<number> =>
      Number(await client.eval(pullBackScript, 2, `${base}delayed`, `${base}marker`, base, String(Math.round(now)))),
    /** Chunks that the lane neither holds nor remembers. */
    missing: async (chunks: readonly Chunk[]): Promise<readonly Chunk[]> => {
      const there = await Promise.all(chunks.map((c) => client.exists(base + jobId(c.id))));
      return chunks.filter((_, i) => there[i] === 0);
    },
    countDeath: async (id: string): Promise<void> => {
      const job = jobId(id);
      await client.eval(countDeathScript, 2, `${base}deaths`, base + job, job);
    },
    deaths: async (job: string): Promise<number> => Number((await client.hget(`${base}deaths`, job)) ?? 0),
    survived: async (job: string): Promise<void> => void (await client.hdel(`${base}deaths`, job)),
    close: () => queue.close(),
  };
}

/** A letter as it is kept: its events, a blank, and the rest as JSON. */
const letterOf = (lane: string, id: string, text: string): DeadLetter => ({
  lane,
  id,
  ...(JSON.parse(text.slice(text.indexOf(" ") + 1)) as Omit<DeadLetter, "lane" | "id">),
});
