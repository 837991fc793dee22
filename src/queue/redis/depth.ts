/** How much lies in lanes: what is asked in one turn of the event loop is asked of Redis in a few commands, however many lanes. */

import type { Depth } from "../queue.ts";
import type { RedisClient } from "./connect.ts";

/**
 * For each lane: jobs by state, events of dead letters; and, if jobs are looked at, events by state and the oldest time. Jobs
 * of a state beyond those that are looked at are taken for average ones.
 * KEYS: four a lane. ARGV: how many jobs of a state are looked at, then the start of each lane's keys.
 */
const depthScript = `
local most = tonumber(ARGV[1])
local all = {}
for lane = 1, #KEYS / 4 do
  local base, key = ARGV[lane + 1], 4 * lane - 3
  local out, oldest = {}, false
  local function sum(ids, total)
    local events = 0
    for _, id in ipairs(ids) do
      local f = redis.call('HMGET', base .. id, 'n', 'name', 'timestamp')
      local count, accepted = string.match(f[2] or '', '^(%d+) ?(%d*)$')
      events = events + (tonumber(f[1] or count) or 1)
      local at = tonumber(accepted) or tonumber(f[3])
      if at and (not oldest or at < oldest) then oldest = at end
    end
    if #ids > 0 and total > #ids then events = math.floor(events / #ids * total) end
    out[#out + 1] = events
  end
  out[1] = redis.call('LLEN', KEYS[key])
  out[2] = redis.call('LLEN', KEYS[key + 1])
  out[3] = redis.call('ZCARD', KEYS[key + 2])
  out[4] = tonumber(redis.call('GET', KEYS[key + 3]) or '0')
  if most > 0 then
    sum(redis.call('LRANGE', KEYS[key], -most, -1), out[1])
    sum(redis.call('LRANGE', KEYS[key + 1], -most, -1), out[2])
    sum(redis.call('ZRANGE', KEYS[key + 2], 0, most - 1), out[3])
    if oldest then out[8] = string.format('%.0f', oldest) end
  end
  all[lane] = out
end
return all`;

/** Jobs of a state that are looked at: the script must not hold Redis up, however long the lane. */
const mostJobs = 1000;
/** What the average job of a lane with more jobs than this holds is kept for so long. */
const [manyJobs, keepMs] = [100, 10_000];
/** Lanes of one command: those whose jobs are looked at, and others. */
const [lanesLooked, lanesCounted] = [20, 200];

type Triple = readonly [waiting: number, active: number, delayed: number];

interface Found {
  readonly jobs: Triple;
  readonly dead: number;
  readonly events: Triple;
  readonly oldestAt?: number;
}

interface Kept {
  readonly average: Triple;
  readonly oldestAt: number | undefined;
  readonly at: number;
}

const each = (f: (i: number) => number): Triple => [f(0), f(1), f(2)];
const sum = ([a, b, c]: Triple): number => a + b + c;
const depthOf = (events: Triple, dead: number, oldestAt: number | undefined): Depth => ({
  waiting: events[0],
  active: events[1],
  delayed: events[2],
  dead,
  ...(oldestAt !== undefined && sum(events) > 0 && { oldestAt }),
});

export interface Depths {
  of(lane: string): Promise<Depth>;
  /** Those that hold anything. */
  filled(lanes: readonly string[]): Promise<readonly string[]>;
}

const ask = async (client: RedisClient, bases: readonly string[], jobs: number): Promise<readonly Found[]> => {
  const keys = bases.flatMap((base) => ["wait", "active", "delayed", "dead-events"].map((k) => base + k));
  const rows = (await client.eval(depthScript, keys.length, ...keys, jobs, ...bases)) as (number | string)[][];
  return rows.map((row) => {
    const at = (i: number) => Number(row[i] ?? 0);
    return {
      jobs: each((i) => at(i)),
      dead: at(3),
      events: each((i) => at(4 + i)),
      ...(row[7] !== undefined && { oldestAt: at(7) }),
    };
  });
};

/** `baseOf`: what the keys of a lane begin with. */
export function openDepths(client: RedisClient, baseOf: (lane: string) => string, oneSlot: boolean): Depths {
  const kept = new Map<string, Kept>();
  /** Lanes asked for in this turn. */
  let asked: Set<string> | undefined;
  let reading: Promise<ReadonlyMap<string, Depth>>;

  /** Few lanes a command, so that others have their turn between them. */
  const askAll = async (lanes: readonly string[], jobs: number): Promise<ReadonlyMap<string, Found>> => {
    const size = oneSlot ? (jobs > 0 ? lanesLooked : lanesCounted) : 1;
    const groups = Array.from({ length: Math.ceil(lanes.length / size) }, (_, i) =>
      lanes.slice(i * size, (i + 1) * size),
    );
    const found = await Promise.all(groups.map((some) => ask(client, some.map(baseOf), jobs)));
    return new Map(found.flat().map((one, i) => [lanes[i] ?? "", one]));
  };

  const read = async (lanes: readonly string[]): Promise<ReadonlyMap<string, Depth>> => {
    const now = performance.now();
    const known = lanes.filter((lane) => now - (kept.get(lane)?.at ?? -keepMs) < keepMs);
    const depths = new Map<string, Depth>();
    for (const [lane, { jobs, dead }] of await askAll(known, 0)) {
      const average = kept.get(lane);
      if (average && sum(jobs) > manyJobs)
        depths.set(
          lane,
          depthOf(
            each((i) => Math.round((jobs[i] ?? 0) * (average.average[i] ?? 1))),
            dead,
            average.oldestAt,
          ),
        );
    }
    const rest = lanes.filter((lane) => !depths.has(lane));
    for (const [lane, { jobs, dead, events, oldestAt }] of await askAll(rest, mostJobs)) {
      depths.set(lane, depthOf(events, dead, oldestAt));
      kept.delete(lane);
      if (sum(jobs) > manyJobs)
        kept.set(lane, { average: each((i) => (jobs[i] ? (events[i] ?? 0) / (jobs[i] ?? 1) : 1)), oldestAt, at: now });
    }
    return depths;
  };

  return {
    of: async (lane) => {
      if (asked) asked.add(lane);
      else {
        const lanes = new Set([lane]);
        asked = lanes;
        reading = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
          asked = undefined;
          return read([...lanes]);
        });
      }
      const depth = (await reading).get(lane);
      if (!depth) throw new Error("Redis did not answer for every lane");
      return depth;
    },
    filled: async (lanes) => {
      const found = await askAll(lanes, 0);
      return lanes.filter((lane) => {
        const one = found.get(lane);
        return one !== undefined && sum(one.jobs) + one.dead > 0;
      });
    },
  };
}
