import type { Logger } from "pino";
import type { Metrics } from "../metrics/metrics.ts";
import { type CountedMetrics, countIn } from "../pipeline/counts.ts";
import { createThrottledLog } from "../sdk/throttled-log.ts";
import { type Budget, createBudget } from "./budget.ts";
import type { Refusal } from "./errors.ts";
import { createGate, type Gate, type Phase } from "./gate.ts";
import { createOpenBodies, type OpenBodies } from "./open-bodies.ts";

export interface DoorLimits {
  readonly maxBodyBytes: number;
  readonly maxInflightBytes: number;
  readonly maxRequests: number;
  readonly bodyTimeoutMs: number;
  readonly maxRatio: number;
}

/** What is behind one listener: bounds that it shares with no other, and how it refuses. */
export interface Door {
  /** Label of the metrics and of the log. */
  readonly listener: string;
  readonly limits: DoorLimits;
  readonly phase: Phase;
  readonly gate: Gate;
  readonly budget: Budget;
  readonly open: OpenBodies;
  readonly log: Logger;
  /** Says once in a while who was refused and why (words of the hub's own), and counts each; `at` is the label when the path has one of its own. */
  refused(refusal: Refusal, why: string, remote: string | undefined, at?: string): void;
  /** A refused request that may have carried events counts among them, too. */
  rejected(refusal: Refusal, status: number): void;
  state(): DoorState;
}

export interface DoorState {
  readonly listener: string;
  readonly requests: number;
  readonly bytes: number;
  /** For people; present while requests are refused because too much is at work. */
  readonly saturated?: string;
  /** New requests are refused, too: there was nothing slow to give way to them. */
  readonly refusing: boolean;
}

/** How long after the last that was refused for want of room a door is called saturated, milliseconds. */
const saturatedMs = 5000;

export interface DoorParts {
  readonly listener: string;
  /** Label of the metrics of events. */
  readonly source: string;
  readonly phase: Phase;
  readonly limits: DoorLimits;
  readonly metrics: Pick<Metrics, "refused"> & CountedMetrics;
  readonly log: Logger;
}

export const createDoor = ({ listener, source, phase, limits, metrics, log }: DoorParts): Door => {
  const open = createOpenBodies(limits.bodyTimeoutMs);
  const gate = createGate(limits.maxRequests, phase, open);
  const budget = createBudget(Math.max(limits.maxInflightBytes, limits.maxBodyBytes), open);
  const refusals = createThrottledLog(log);
  const counts = countIn(metrics);
  const last = { overloaded: Number.NEGATIVE_INFINITY, gave_way: Number.NEGATIVE_INFINITY };
  return {
    listener,
    limits,
    phase,
    gate,
    budget,
    open,
    log,
    refused: (refusal, why, remote, at = listener) => {
      if ((refusal === "overloaded" || refusal === "gave_way") && at === listener) last[refusal] = performance.now();
      metrics.refused(at, refusal, 1);
      refusals.warn(`${at} ${refusal}`, { listener: at, reason: refusal, remote }, `refused: ${why}`);
    },
    rejected: (refusal, status) =>
      counts.turnedAway(source, refusal, status === 400 || status === 413 || status === 415),
    state: () => {
      const [requests, bytes] = [gate.inside(), budget.used()];
      const words = `listener ${listener} is saturated: ${requests} of ${gate.max} requests, ${bytes} of ${budget.max} bytes of bodies at work`;
      const lately = performance.now() - saturatedMs;
      const refusing = last.overloaded > lately;
      return { listener, requests, bytes, refusing, ...((refusing || last.gave_way > lately) && { saturated: words }) };
    },
  };
};
