/**
 * Bodies that stand apart from the jobs that name them, each stored once under a name made from its content: a job is
 * weighed before its body is fetched, and an alert for many lanes is not sent once for each. A body is there as long as a
 * job holds it. Where a process dies in between, or a job is pushed that the lane has finished, a holder is left behind: the
 * sweep asks the jobs, from time to time.
 */

import type { Packed } from "./body.ts";
import type { RedisClient } from "./connect.ts";
import { evenWhenFull } from "./room.ts";

/** A job by its key without the prefix. */
export interface Held {
  readonly name: string;
  readonly holder: string;
}

/**
 * KEYS: body, its holders, then the jobs of ARGV[3…], if they lie together. ARGV: packed body, time, holders. A job that is
 * finished will never read its body.
 */
const holdScript = `
local held = 0
for i = 3, #ARGV do
  if not KEYS[i] or redis.call('HEXISTS', KEYS[i], 'finishedOn') == 0 then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[2])
    held = held + 1
  end
end
if held > 0 then redis.call('SET', KEYS[1], ARGV[1], 'NX') end
return held`;

/** KEYS: body, its holders, the list of bodies if it lies together with them. ARGV: the body's name, holders. */
const leaveScript = evenWhenFull(`
for i = 2, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) end
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('UNLINK', KEYS[1])
if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[1]) end
return 1`);

const sweepMs = 10 * 60_000;
/** A push in the middle of its work is over by then. */
const youngMs = 60 * 60_000;
/** Between looks at a body that is still held. */
const againMs = 6 * youngMs;

export interface BodiesParts {
  /** Fails fast. */
  readonly pushing: RedisClient;
  /** Waits for Redis. */
  readonly working: RedisClient;
  readonly prefix: string;
  /** A script may touch any key. */
  readonly oneSlot: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type Bodies = ReturnType<typeof openBodies>;

export function openBodies({ pushing, working, prefix, oneSlot, now }: BodiesParts) {
  /** Names by the time of the next look at them. */
  const list = `${prefix}:bodies`;
  const keysOf = (name: string) => [`${prefix}:body:{${name}}`, `${prefix}:body:{${name}}:held`] as const;

  const leave = async (held: readonly Held[]): Promise<void> => {
    const left = [...Map.groupBy(held, (h) => h.name)].map(async ([name, some]) => {
      const keys = [...keysOf(name), ...(oneSlot ? [list] : [])];
      const gone = await working.eval(leaveScript, keys.length, ...keys, name, ...some.map((h) => h.holder));
      if (gone === 1 && !oneSlot) await working.zrem(list, name);
    });
    await Promise.all(left);
  };

  /** Whether the job still names the body. */
  const isNamed = async ({ name, holder }: Held): Promise<boolean> => {
    const [data, finished] = await working.hmget(`${prefix}:${holder}`, "data", "finishedOn");
    return (
      data !== null &&
      data !== undefined &&
      !finished &&
      (JSON.parse(data) as Partial<Packed & { r: string }>).r === name
    );
  };

  /** Lets go of holders that hold it no more. */
  const look = async (name: string): Promise<void> => {
    const since = await working.hgetall(keysOf(name)[1]);
    const old = Object.entries(since).filter(([, at]) => Number(at) < now() - youngMs);
    const asked = await Promise.all(old.map(async ([holder]) => ({ holder, there: await isNamed({ name, holder }) })));
    const lost = asked.filter(({ there }) => !there).map(({ holder }) => ({ name, holder }));
    if (lost.length > 0 || old.length === 0) await leave(lost.length > 0 ? lost : [{ name, holder: "" }]);
    await working.zadd(list, "XX", now() + againMs, name);
  };

  const sweep = async (): Promise<void> => {
    for (;;) {
      const due = await working.zrangebyscore(list, "-inf", String(now()), "LIMIT", "0", "100");
      if (due.length === 0) return;
      for (const name of due) await look(name);
    }
  };
  // Redis is away, or full: another time.
  const timer = setInterval(() => void sweep().catch(() => {}), sweepMs).unref();

  return {
    /** What a transaction begins with that adds the jobs: a command by its name and arguments. */
    commands: (name: string, packed: Buffer, holders: readonly string[]) => {
      const keys = [...keysOf(name), ...holders.map((holder) => `${prefix}:${holder}`)];
      return [
        ["zadd", [list, "NX", now() + youngMs, name]],
        ["eval", [holdScript, keys.length, ...keys, packed, now(), ...holders]],
      ] as const;
    },
    /** For jobs elsewhere, before they are added. */
    hold: async (name: string, packed: Buffer, holders: readonly string[]): Promise<void> => {
      await pushing.zadd(list, "NX", now() + youngMs, name);
      await pushing.eval(holdScript, 2, ...keysOf(name), packed, now(), ...holders);
    },
    /** For a job in hand, also when Redis is full. */
    keep: async (name: string, packed: Buffer, holder: string): Promise<void> => {
      await working.zadd(list, "NX", now() + youngMs, name).catch(() => {});
      await working.eval(evenWhenFull(holdScript), 2, ...keysOf(name), packed, now(), holder);
    },
    fetch: async (name: string): Promise<Buffer | undefined> => (await working.getBuffer(keysOf(name)[0])) ?? undefined,
    leave,
    isNamed,
    sweep,
    close: () => clearInterval(timer),
  };
}
