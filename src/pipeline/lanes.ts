/** The names of the lanes: nothing else spells one or takes one apart. */

import type { Queue } from "../queue/queue.ts";

/** Alerts that are still to be routed. */
export const alertLane = "alerts";
/** Audit events that the rules have yet to judge. */
export const eventLane = "events";
/** The lanes in front of the stages. */
export const frontLanes: readonly string[] = [alertLane, eventLane];

const ofOutput = "out:";

/** The lane of an output instance, by its id. */
export const outputLane = (id: string): string => ofOutput + id;

/** The id of the output instance whose lane this is; undefined: it is no output's. */
export const outputOfLane = (lane: string): string | undefined =>
  lane.startsWith(ofOutput) ? lane.slice(ofOutput.length) : undefined;

/** The lanes of a hub: those in front, then one for each output instance. */
export const lanesOf = (outputs: readonly { readonly id: string }[]): readonly string[] => [
  ...frontLanes,
  ...outputs.map(({ id }) => outputLane(id)),
];

/** Lanes that are known: those of the configuration, and those that hold something. */
export const knownLanes = async (
  queue: Pick<Queue, "lanes">,
  configured: readonly string[],
): Promise<readonly string[]> => [...new Set([...configured, ...(await queue.lanes())])];
