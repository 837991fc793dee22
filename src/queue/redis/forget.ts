/** Takes the bodies of finished jobs away, of many lanes at a time; BullMQ keeps the jobs for a while. */

import type { Bodies } from "./bodies.ts";
import type { Packed } from "./body.ts";
import type { RedisClient } from "./connect.ts";
import { evenWhenFull } from "./room.ts";

const forgetScript = evenWhenFull(`
for _, job in ipairs(KEYS) do
  if redis.call('HEXISTS', job, 'finishedOn') == 1 then redis.call('HSET', job, 'data', '{}') end
end`);
/** Jobs that go at a time, and how long one waits for company. */
const [jobsAtOnce, waitMs] = [50, 500];

export interface Forgetting {
  /** The job is finished. */
  done(lane: string, holder: string, packed: Packed): void;
  flush(): Promise<void>;
}

export function openForgetting(client: RedisClient, prefix: string, bodies: Bodies, oneSlot: boolean): Forgetting {
  let finished: { readonly lane: string; readonly holder: string; readonly body: string | undefined }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    const jobs = finished;
    finished = [];
    if (jobs.length === 0) return;
    const groups = oneSlot ? [jobs] : [...Map.groupBy(jobs, ({ lane }) => lane).values()];
    const held = jobs.flatMap(({ holder, body }) => (body === undefined ? [] : [{ name: body, holder }]));
    await Promise.all([
      ...groups.map((some) => client.eval(forgetScript, some.length, ...some.map((job) => `${prefix}:${job.holder}`))),
      bodies.leave(held),
    ]);
  };

  return {
    done: (lane, holder, packed) => {
      finished.push({ lane, holder, body: "r" in packed ? packed.r : undefined });
      if (finished.length >= jobsAtOnce) void flush().catch(() => {});
      else if (finished.length === 1) timer = setTimeout(() => void flush().catch(() => {}), waitMs).unref();
    },
    flush,
  };
}
