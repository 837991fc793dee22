/** Chunks of the lanes in front walk the stages and become chunks for the lanes of outputs. */

import { read } from "../queue/codec.ts";
import { type Chunk, type Queue, QueueError } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import type { Incoming } from "../sdk/event.ts";
import { alertLines } from "./codec.ts";
import { eventLines } from "./event-lines.ts";
import { outputLane } from "./lanes.ts";
import type { ChunkFacts, Routed, Stage, Stages } from "./stages.ts";

/** What is walked: a chunk as it was written, or as it was handed out. */
type WalkedChunk = Pick<Chunk, "id" | "at" | "body" | "decoded">;

/** Runs the synchronous part of a stage; for an item in hand: `Queue.during`. */
export type Attend = <T>(work: () => T) => T;

/** Audit events walk the whole list; without rules they end here. */
export const walkEvents = async (stages: Stages, chunk: WalkedChunk, attend: Attend): Promise<readonly Chunk[]> => {
  const { judge } = stages;
  if (!judge) return [];
  const events: readonly Incoming[] = await through(stages.enrich, chunk, read(chunk, eventLines), attend);
  const alerts = await runStage(judge, chunk, events, attend);
  return alerts.length === 0 ? [] : toOutputs(chunk, await behindJudge(stages, chunk, alerts, attend));
};

/** Posted alerts walk what is behind `judge`. */
export const walkAlerts = async (stages: Stages, chunk: WalkedChunk, attend: Attend): Promise<readonly Chunk[]> => {
  const alerts = read(chunk, alertLines);
  const written = { alerts, body: chunk.body };
  return toOutputs(chunk, await behindJudge(stages, chunk, alerts, attend), written);
};

/** A push for posted alerts that walks them to the lanes of their outputs, in one write (decisions/routed-at-the-door.md). */
export const walkAtTheDoor =
  (stages: Stages, push: Queue["push"]): Queue["push"] =>
  async (chunks) => {
    const walked = await Promise.all(chunks.map((chunk) => walkAlerts(stages, chunk, (work) => work())));
    const next = walked.flat();
    if (next.length > 0) await push(next);
  };

const behindJudge = async (
  stages: Stages,
  chunk: ChunkFacts,
  alerts: readonly Alert[],
  attend: Attend,
): Promise<readonly Routed[]> => {
  const added = await through(stages.add, chunk, alerts, attend);
  const correlated = await through(stages.correlate, chunk, added, attend);
  const routed = await runStage(stages.route, chunk, correlated, attend);
  return through(stages.hold, chunk, routed, attend);
};

const through = async <T>(
  stages: readonly Stage<T, readonly T[]>[],
  chunk: ChunkFacts,
  items: readonly T[],
  attend: Attend,
): Promise<readonly T[]> => {
  let passed = items;
  for (const stage of stages) passed = await runStage(stage, chunk, passed, attend);
  return passed;
};

/** Rejects with the stage's name before what it said; a QueueError stays what it is, for doors tell senders of it. */
const runStage = async <In, Out>(
  stage: Stage<In, Out>,
  chunk: ChunkFacts,
  items: readonly In[],
  attend: Attend,
): Promise<Out> => {
  try {
    return await attend(() => stage.run(chunk, items));
  } catch (cause) {
    if (cause instanceof QueueError) throw cause;
    throw new Error(`stage ${stage.name}: ${cause instanceof Error ? cause.message : "failed"}`, { cause });
  }
};

/**
 * One chunk for each output; its id is the walked chunk's, so that a walk that is repeated is recognised. `written`: alerts
 * whose body is there already.
 */
export const toOutputs = (
  { id, at }: ChunkFacts,
  routed: readonly Routed[],
  written?: { readonly alerts: readonly Alert[]; readonly body: string },
): Chunk<readonly Alert[]>[] => {
  const bodies = new Map<readonly Alert[], string>();
  if (written) bodies.set(written.alerts, written.body);
  return routed.map(({ output, alerts }) => {
    const body = bodies.get(alerts) ?? alertLines.encode(alerts);
    bodies.set(alerts, body);
    return {
      lane: outputLane(output),
      id,
      body,
      count: alerts.length,
      at,
      decoded: { codec: alertLines, value: alerts },
    };
  });
};
