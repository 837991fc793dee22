/**
 * State by key beside a lane's jobs, in the lane's hash slot. Children and dead letters may lie on other servers: so one
 * script changes the state and writes down in the job what else is to be done, and whoever has the job next, after a death
 * as well, does that and asks no handler again.
 */

import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Settlement } from "../queue.ts";
import type { StateChange, StateEntry } from "../state.ts";
import type { RedisClient } from "./connect.ts";
import { evenWhenFull } from "./room.ts";

/** An entry as it is stored: `version expires wait value`; `expires` in the queue's time, 0: never. */
const partsOf = "^(%d+) (%d+) (%d+) ";

/**
 * KEYS: job, its lock, entries, those that expire by time, the last version. ARGV: the lock's token, the job's new data, the
 * queue's time; then for each change key, expected version or nothing, wait, and `v` with the value or nothing to delete it.
 * Returns 1: done, or done before; 0: another version; -1: the job is in other hands.
 */
const commitScript = evenWhenFull(`
local job, lock, entries, expiring, versions = unpack(KEYS)
if redis.call('HGET', job, 'data') == ARGV[2] then return 1 end
if redis.call('GET', lock) ~= ARGV[1] then return -1 end
local now = tonumber(ARGV[3])
local function version(key)
  local version, expires = string.match(redis.call('HGET', entries, key) or '', '${partsOf}')
  if version and (expires == '0' or tonumber(expires) > now) then return version end
  return '0'
end
for i = 4, #ARGV, 4 do
  if ARGV[i + 1] ~= '' and ARGV[i + 1] ~= version(ARGV[i]) then return 0 end
end
local function forget(key)
  redis.call('HDEL', entries, key)
  redis.call('ZREM', expiring, key)
end
local new = redis.call('INCR', versions)
for i = 4, #ARGV, 4 do
  local key, wait, value = ARGV[i], tonumber(ARGV[i + 2]), ARGV[i + 3]
  forget(key)
  if value ~= '' then
    local expires = wait > 0 and string.format('%.0f', now + wait) or '0'
    redis.call('HSET', entries, key, new .. ' ' .. expires .. ' ' .. ARGV[i + 2] .. ' ' .. string.sub(value, 2))
    if wait > 0 then redis.call('ZADD', expiring, expires, key) end
  end
end
redis.call('HSET', job, 'data', ARGV[2])
return 1`);

/**
 * KEYS: entries, those that expire by time. ARGV: the queue's time. Takes away what has expired; what a clock that was ahead
 * put too far off waits from now on for what it was told to. Returns how many were looked at, 100 of each at most.
 */
const sweepScript = evenWhenFull(`
local entries, expiring, now = KEYS[1], KEYS[2], tonumber(ARGV[1])
local old = redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, 100)
for _, key in ipairs(old) do
  redis.call('HDEL', entries, key)
  redis.call('ZREM', expiring, key)
end
local late = redis.call('ZREVRANGEBYSCORE', expiring, '+inf', now + 1000, 'WITHSCORES', 'LIMIT', 0, 100)
for i = 1, #late, 2 do
  local version, _, wait, value = string.match(redis.call('HGET', entries, late[i]) or '', '${partsOf}(.*)$')
  if version and tonumber(late[i + 1]) - now > tonumber(wait) + 1000 then
    local expires = string.format('%.0f', now + wait)
    redis.call('HSET', entries, late[i], version .. ' ' .. expires .. ' ' .. wait .. ' ' .. value)
    redis.call('ZADD', expiring, expires, late[i])
  end
end
return #old`);

/** What a settlement whose state stands has left to be done. */
export type Rest = Pick<Settlement, "next" | "dead" | "retry">;

export interface Commit {
  /** The job's key and its lock's token. */
  readonly job: string;
  readonly token: string;
  /** The job's data with what is left to be done. */
  readonly data: string;
  readonly changes: readonly StateChange[];
}

/** `base`: what the lane's keys begin with; `now`: the queue's time. */
export function openRedisState(client: RedisClient, base: string, now: () => number) {
  const [entries = "", expiring = "", versions = ""] = ["state", "state-expires", "state-version"].map((k) => base + k);
  return {
    get: async (key: string): Promise<StateEntry | undefined> => {
      const [, version, expires, value] = /^(\d+) (\d+) \d+ (.*)$/s.exec((await client.hget(entries, key)) ?? "") ?? [];
      if (value === undefined || (expires !== "0" && Number(expires) <= now())) return undefined;
      return { version: Number(version), value };
    },
    /** May be repeated. False: what was read has changed since. Throws when the job is in other hands. */
    commit: async ({ job, token, data, changes }: Commit): Promise<boolean> => {
      const args = changes.flatMap(({ key, version, expiresInMs, value }) => [
        key,
        version ?? "",
        expiresInMs === undefined || value === undefined ? 0 : Math.max(1, Math.ceil(expiresInMs)),
        value === undefined ? "" : `v${value}`,
      ]);
      const keys = [job, `${job}:lock`, entries, expiring, versions];
      const done = await client.eval(commitScript, keys.length, ...keys, token, data, Math.round(now()), ...args);
      if (done === -1) throw new Error("another worker has the item");
      return done === 1;
    },
    sweep: async (): Promise<void> => {
      while ((await client.eval(sweepScript, 2, entries, expiring, Math.round(now()))) === 100);
    },
  };
}

const packFrom = 1024;

export function packRest({ next, dead, retry }: Settlement): string {
  const plain = ({ decoded: _, ...rest }: NonNullable<Rest["next"]>[number]) => rest;
  const again = retry && { body: retry.body, count: retry.count, inMs: retry.inMs };
  const text = JSON.stringify({ next: next?.map(plain), dead, retry: again });
  return text.length < packFrom ? text : zstdCompressSync(text).toString("base64");
}

/** Throws when it is damaged. */
export const unpackRest = (packed: string): Rest =>
  JSON.parse(packed.startsWith("{") ? packed : zstdDecompressSync(Buffer.from(packed, "base64")).toString());
