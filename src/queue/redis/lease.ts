/** Leases and their checkpoints in Redis, for all processes that share it. */

import {
  type Checkpoint,
  holdIn,
  type LeaseDeps,
  LeaseLostError,
  type Leases,
  type LeaseTimes,
  usualTimes,
} from "../lease.ts";
import { connectRedis, type RedisClient, type RedisSettings, toQueueError } from "./connect.ts";
import { evenWhenFull } from "./room.ts";

export interface RedisLeaseSettings extends RedisSettings {
  /** First part of every key. Default `eyrie`. */
  readonly prefix?: string;
  /** What Redis does not answer in this time has failed. Default 1500. */
  readonly commandTimeoutMs?: number;
  readonly times?: LeaseTimes;
}

/**
 * The next token is above the last one and not below Redis's clock: a Redis that comes back without its last second gives
 * none out twice.
 */
const acquireScript = evenWhenFull(`
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return token`);

const renewScript = evenWhenFull(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

const releaseScript = evenWhenFull(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

const setScript = evenWhenFull(`
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1`);

/** Connects when the first lease is wanted. */
export function openRedisLeases(settings: RedisLeaseSettings, deps: LeaseDeps): Leases {
  const { prefix = "eyrie", commandTimeoutMs = 1500, times = usualTimes } = settings;
  let client: RedisClient | undefined;
  const run = async (lua: string, keys: readonly string[], ...args: readonly string[]): Promise<unknown> => {
    client ??= connectRedis(settings, "push", commandTimeoutMs);
    try {
      return await client.eval(lua, keys.length, ...keys, ...args);
    } catch (error) {
      throw toQueueError(error);
    }
  };
  /** All in one slot of a cluster. */
  const keyOf = (name: string, part: string): string => {
    const base = `lease:${encodeURIComponent(name)}`;
    return `${prefix}:${prefix.includes("{") ? base : `{${base}}`}:${part}`;
  };
  const lease = String(times.leaseMs);

  const checkpoint = (name: string, token: number): Checkpoint => {
    const [latest, marks] = [keyOf(name, "token"), keyOf(name, "checkpoint")];
    return {
      get: async (key) => {
        const value = await run("return redis.call('HGET', KEYS[1], ARGV[1])", [marks], key);
        return value === null ? undefined : String(value);
      },
      set: async (key, value) => {
        if ((await run(setScript, [latest, marks], String(token), key, value)) !== 1) throw new LeaseLostError();
      },
    };
  };

  const store = {
    acquire: async (name: string, holder: string) => {
      const token = await run(acquireScript, [keyOf(name, "holder"), keyOf(name, "token")], holder, lease);
      return token === null ? undefined : Number(token);
    },
    renew: async (name: string, holder: string) =>
      (await run(renewScript, [keyOf(name, "holder")], holder, lease)) === 1,
    release: async (name: string, holder: string) => {
      await run(releaseScript, [keyOf(name, "holder")], holder);
    },
    checkpoint,
  };
  return {
    hold: (name, work) => holdIn(store, name, work, deps, times),
    close: async () => client?.disconnect(),
  };
}
