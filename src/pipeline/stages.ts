import type { Chunk } from "../queue/queue.ts";
import type { Alert } from "../sdk/alert.ts";
import type { Incoming } from "../sdk/event.ts";

/** What a chunk is known by, however often it is handed out. */
export type ChunkFacts = Pick<Chunk, "id" | "at">;

/** A step on the way from what came in to the lanes of outputs. */
export interface Stage<In, Out> {
  /** Says which stage failed. */
  readonly name: string;
  /**
   * It looks at nothing but what it is given and never waits, so that intake may run it while a sender waits for an answer
   * (decisions/routed-at-the-door.md).
   */
  readonly pure?: true;
  /** What goes on, from the part of a chunk that came this far. Rejects: the whole chunk is tried again later. */
  run(chunk: ChunkFacts, items: readonly In[]): Promise<Out>;
}

/** What an output is to be sent of a chunk; one for each output. */
export interface Routed {
  /** Id of the output instance. */
  readonly output: string;
  /** The stage's own input where the output takes all of it. */
  readonly alerts: readonly Alert[];
}

/** The list, in the order in which it is walked. Where there may be several stages, they run one after the other. */
export interface Stages {
  /** What is known of an event beside what it says, written into its `meta`. */
  readonly enrich: readonly Stage<Incoming, readonly Incoming[]>[];
  /** Events become alerts. Absent: no rules are loaded, and events end here. */
  readonly judge?: Stage<Incoming, readonly Alert[]>;
  /** What is known of where an alert happened, written into its output fields. Posted alerts enter here. */
  readonly add: readonly Stage<Alert, readonly Alert[]>[];
  /** Alerts of several events become one, or are told of each other. */
  readonly correlate: readonly Stage<Alert, readonly Alert[]>[];
  /** Which outputs get which alerts. */
  readonly route: Stage<Alert, readonly Routed[]>;
  /** What is not sent now, or not at all. */
  readonly hold: readonly Stage<Routed, readonly Routed[]>[];
}

/** The stages of a hub; where nothing is configured for a step, nobody stands there. */
export const listStages = (
  configured: Pick<Stages, "judge" | "route"> & Partial<Pick<Stages, "enrich" | "add">>,
): Stages => ({
  enrich: [],
  add: [],
  correlate: [],
  hold: [],
  ...configured,
});

/** Whether intake may walk posted alerts to the lanes of their outputs itself. */
export const canWalkAtTheDoor = ({ add, correlate, route, hold }: Stages): boolean =>
  [...add, ...correlate, route, ...hold].every((stage) => stage.pure);
