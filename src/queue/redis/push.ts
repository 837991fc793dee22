/** Chunks into their lanes: one transaction, however many lanes, as far as they lie on one server for certain. */

import type { JobJson } from "bullmq";
import type { Chunk } from "../queue.ts";
import type { Bodies } from "./bodies.ts";
import type { Pack, PackedBody } from "./body.ts";
import { type BullLane, holderOf, jobId, toJob } from "./lane.ts";

/** Jobs that are added in one go: Redis does nothing else meanwhile. */
const together = 1000;

export interface PushParts {
  readonly bodies: Bodies;
  /** All keys lie in one slot. */
  readonly oneSlot: boolean;
  readonly pack: Pack;
  /** The queue's time. */
  now(): number;
  open(lane: string): Promise<BullLane>;
}

interface Added {
  readonly lane: BullLane;
  readonly job: JobJson;
}

export function openPush({ bodies, oneSlot, pack, now, open }: PushParts) {
  type Transaction = ReturnType<Awaited<BullLane["client"]>["multi"]>;
  type Command = (transaction: Transaction) => void;

  const add =
    ({ lane, job }: Added): Command =>
    (transaction) =>
      void lane.queue.backend.addJobToTransaction(transaction, job, job.id, {}, lane.queue.keys);

  const run = async (lane: BullLane, commands: readonly Command[]): Promise<void> => {
    const redis = await lane.client;
    const send = async (transaction: Transaction) => {
      for (const command of commands) command(transaction);
      return (await transaction.exec())?.find(([error]) => error)?.[0];
    };
    let refused = await send(redis.multi());
    // Somebody has emptied the server's store of scripts; outside a transaction the client finds out and sends them again.
    if (refused?.message.startsWith("NOSCRIPT")) refused = await send(redis.pipeline());
    if (refused) throw refused;
  };

  /** Resolves with what each chunk became. Rejects with what Redis or the connection said. */
  const push = async (chunks: readonly Chunk[]): Promise<ReadonlyMap<Chunk, PackedBody>> => {
    const lanes = new Map(
      await Promise.all([...new Set(chunks.map((c) => c.lane))].map(async (name) => [name, await open(name)] as const)),
    );
    const time = now();
    const packed = new Map<Chunk, PackedBody>();
    const apart: { name: string; bytes: Buffer; holders: readonly string[] }[] = [];
    for (const [body, some] of Map.groupBy(chunks, (c) => c.body)) {
      const one = pack(body, some.length);
      for (const chunk of some) packed.set(chunk, one);
      if (one.apart && "r" in one.packed)
        apart.push({ name: one.packed.r, bytes: one.apart, holders: some.map((c) => holderOf(c.lane, jobId(c.id))) });
    }
    const jobs = chunks.flatMap((chunk) => {
      const lane = lanes.get(chunk.lane);
      const one = packed.get(chunk);
      return lane && one ? [{ lane, job: toJob(chunk, one.packed, time) }] : [];
    });
    const first: Command[] = [];
    for (const { name, bytes, holders } of apart) {
      if (!oneSlot) await bodies.hold(name, bytes, holders);
      else
        for (const [command, args] of bodies.commands(name, bytes, holders))
          first.push((transaction) => void transaction.runCommand(command, [...args]));
    }
    const groups = oneSlot ? [jobs] : [...Map.groupBy(jobs, ({ lane }) => lane).values()];
    await Promise.all(
      groups.map(async (group) => {
        for (let at = 0; at < group.length; at += together) {
          const some = group.slice(at, at + together);
          const [one] = some;
          if (!one) continue;
          if (some.length === 1 && (at > 0 || first.length === 0 || !oneSlot))
            await one.lane.queue.backend.addJob(one.job, one.job.id);
          else await run(one.lane, [...(at === 0 ? first : []), ...some.map(add)]);
        }
      }),
    );
    return packed;
  };

  /** Chunks that their lanes neither hold nor remember; all when that cannot be told. */
  const missing = async (chunks: readonly Chunk[]): Promise<readonly Chunk[]> => {
    try {
      const left = [...Map.groupBy(chunks, (c) => c.lane)].map(async ([name, some]) =>
        (await open(name)).missing(some),
      );
      const gone = new Set((await Promise.all(left)).flat());
      return chunks.filter((c) => gone.has(c));
    } catch {
      return chunks;
    }
  };

  return { push, missing };
}
