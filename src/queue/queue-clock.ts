/**
 * The time by which jobs are due: the wall clock's at the start, counted on by a clock that only goes forward, so that a
 * jump of the wall clock moves no retry. Processes that share a Redis share it: whoever starts takes it over from those
 * that run.
 */

import { performance } from "node:perf_hooks";
import type { RedisClient } from "./redis/connect.ts";
import { evenWhenFull } from "./redis/room.ts";

export interface QueueClock {
  /** Milliseconds since the epoch, as no wall clock's jump changes them. */
  now(): number;
  /** Resolves when it is known what time the other processes have, or that nobody tells. */
  readonly agreed: Promise<void>;
  close(): void;
}

const publishMs = 3_000;
const keepMs = 4 * publishMs;
/** Clocks of one cluster differ by this much at any time. */
const toleranceMs = 1_000;

const publishScript = evenWhenFull("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])");

export function openQueueClock(
  client: RedisClient,
  prefix: string,
  now: () => number,
  monotonic = () => performance.now(),
): QueueClock {
  const key = `${prefix}:clock`;
  const [wall, zero] = [now(), monotonic()];
  let skew = 0;
  const time = () => wall + monotonic() - zero + skew;

  const adopt = async () => {
    const [said, left] = await Promise.all([client.get(key), client.pttl(key)]);
    if (!said || left < 0) return;
    const theirs = Number(said) + keepMs - left;
    if (Number.isFinite(theirs) && Math.abs(theirs - time()) > toleranceMs) skew += theirs - time();
  };
  const publish = () => {
    if (client.status === "ready" || client.status === "connect")
      client.eval(publishScript, 1, key, String(Math.round(time())), String(keepMs)).catch(() => {});
  };
  const started = () =>
    adopt().then(publish, () => {
      // Redis is away: this process' own time is as good as any.
    });
  const agreed =
    client.status === "ready"
      ? started()
      : new Promise<void>((resolve) => client.once("ready", () => resolve(started())));
  const timer = setInterval(publish, publishMs).unref();
  return { now: time, agreed, close: () => clearInterval(timer) };
}

/**
 * Jobs that are due later than their own delay allows were put there by a process whose clock was ahead: they wait from now
 * on for what they were told to. Returns how many of the 100 looked at were moved.
 */
export const pullBackScript = evenWhenFull(`
local delayed, marker, base, now = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local late = redis.call('ZREVRANGEBYSCORE', delayed, '+inf', string.format('%.0f', (now + 1000) * 0x1000), 'WITHSCORES', 'LIMIT', 0, 100)
local moved = 0
for i = 1, #late, 2 do
  local wait = tonumber(redis.call('HGET', base .. late[i], 'delay') or '0')
  if late[i + 1] / 0x1000 - now > wait + 1000 then
    redis.call('ZADD', delayed, string.format('%.0f', (now + wait) * 0x1000), late[i])
    moved = moved + 1
  end
end
if moved > 0 then redis.call('ZADD', marker, 0, '0') end
return moved`);
