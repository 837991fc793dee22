/** Queue files as a death leaves them, damage to them, and the one oracle: what is not delivered is counted. */

import assert from "node:assert/strict";
import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, statfsSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Queue } from "../../src/queue/queue.ts";
import { open } from "./queue-embedded.ts";
import { chunk } from "./queues.ts";
import { seeded } from "./random.ts";
import { until } from "./until.ts";

/** Where much is written that no power cut has to survive: in memory, if there is enough of it. */
export const quick = ((): string => {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > 2 ** 30 ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
})();

export const lanes = ["out:a", "out:b", "out:c"] as const;

/** What was accepted and not settled, and how many dead letters there were, by lane. */
export interface Base {
  readonly dir: string;
  readonly live: ReadonlyMap<string, ReadonlySet<string>>;
  readonly dead: ReadonlyMap<string, number>;
}

const isQueueFile = (name: string) => /^queue\.db(-wal|-count-[ab])?$/.test(name);

export function copyQueue(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) if (isQueueFile(name)) copyFileSync(join(from, name), join(to, name));
}

/**
 * A queue of `bytes` with three lanes that share some bodies, a part of which is settled and a part of that dead.
 * `killed`: as a death leaves it, else as a close does.
 */
export async function makeBase(dir: string, bytes: number, bodyBytes: number, killed: boolean): Promise<Base> {
  const made = join(dir, "made");
  const queue = open(made);
  const random = seeded(bytes);
  const live = new Map(lanes.map((lane) => [lane as string, new Set<string>()]));
  const dead = new Map(lanes.map((lane) => [lane as string, 0]));
  for (let [n, size] = [0, 0]; size < bytes; ) {
    const chunks = Array.from({ length: 20 }, () => {
      const id = `id ${n++}`;
      const body = `${id} `.padEnd(Math.ceil(bodyBytes * 2 * random()), "x".repeat(97) + id);
      size += body.length;
      return (n % 3 === 0 ? lanes : [lanes[0]]).map((lane) => chunk(lane, id, body));
    });
    await queue.push(chunks.flat());
    for (const { lane, id } of chunks.flat()) live.get(lane)?.add(id);
  }
  for (const lane of lanes) {
    const ids = live.get(lane) as Set<string>;
    const most = Math.floor(ids.size / 5);
    let turns = 0;
    const consumer = queue.consume(
      lane,
      async (item) => {
        if (++turns > most) return new Promise(() => {});
        ids.delete(item.id);
        if (turns % 10 > 0) return {};
        dead.set(lane, (dead.get(lane) ?? 0) + 1);
        return { dead: [{ body: item.body, count: 1, why: "client_error" }] };
      },
      2,
    );
    await until("a part is settled", () => turns > most);
    await consumer.close(5);
  }
  await queue.lanes();
  const kept = join(dir, "base");
  if (killed) copyQueue(made, kept);
  await queue.close();
  if (!killed) copyQueue(made, kept);
  return { dir: kept, live, dead };
}

/** Overwrites `count` random blocks of 4 KiB with random bytes. */
export function harmBlocks(file: string, seed: number, count = 3): void {
  const random = seeded(seed);
  const blocks = Math.floor(statSync(file).size / 4096);
  for (let n = 0; n < count; n++) harm(file, Math.floor(random() * blocks) * 4096, 4096, seed + n);
}

export function harm(file: string, at: number, bytes: number, seed = 1): void {
  const random = seeded(seed);
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.from(Array.from({ length: bytes }, () => random() * 256)), 0, bytes, at);
  closeSync(fd);
}

/** A fresh chunk for the first lane is taken and delivered within five seconds each. */
export async function flows(queue: Queue, isDelivered: () => boolean): Promise<void> {
  const push = () =>
    queue.push([chunk(lanes[0], "fresh")]).then(
      () => true,
      () => false,
    );
  await until("a fresh chunk is taken", push, 5000);
  await until("a fresh chunk is delivered", isDelivered, 5000);
}

/** Takes everything there is, and a fresh chunk; returns how often each id came, by lane. */
export async function drainAll(queue: Queue): Promise<Map<string, Map<string, number>>> {
  const got = new Map(lanes.map((lane) => [lane as string, new Map<string, number>()]));
  const consumers = lanes.map((lane) =>
    queue.consume(
      lane,
      async ({ id }) => {
        const ids = got.get(lane) as Map<string, number>;
        ids.set(id, (ids.get(id) ?? 0) + 1);
        return {};
      },
      4,
    ),
  );
  await flows(queue, () => got.get("out:a")?.delete("fresh") === true);
  const isEmpty = async () =>
    (await Promise.all(lanes.map((lane) => queue.depth(lane)))).every((d) => d.waiting + d.active + d.delayed === 0);
  await until(
    "everything readable is delivered",
    async () => !queue.status().damaged?.reading && (await isEmpty()),
    60_000,
  );
  await Promise.all(consumers.map((c) => c.close(1000)));
  return got;
}

/** Returns the events that were lost; fails when one is neither delivered nor counted, or one comes that was settled. */
export async function judge(queue: Queue, { live, dead }: Base, got: Map<string, Map<string, number>>, what: string) {
  let lost = 0;
  for (const lane of lanes) {
    const ids = got.get(lane) as Map<string, number>;
    const wanted = live.get(lane) as Set<string>;
    const missing = [...wanted].filter((id) => !ids.has(id)).length;
    const unreadable = (await queue.dead(lane, 500)).filter((l) => l.why.startsWith("corrupt")).length;
    const letters = (dead.get(lane) ?? 0) - ((await queue.depth(lane)).dead - unreadable);
    const counted = (queue.status().damaged?.lost[lane] ?? 0) + unreadable;
    assert.equal(counted, missing + letters, `${what}, ${lane}: ${missing} events and ${letters} letters are missing`);
    assert.deepEqual(
      [...ids.keys()].filter((id) => !wanted.has(id)),
      [],
      `${what}: delivered once more`,
    );
    lost += counted;
  }
  return lost;
}
