import type { Reason } from "../sdk/errors.ts";
import type { BreakerState } from "./breaker.ts";
import type { OutcomeListener } from "./outcomes.ts";
import type { Verdict } from "./verdict.ts";

/** What one output instance tells the metrics. */
export interface DeliveryMetrics {
  /** One attempt: `taken` and `failed` count its alerts. */
  attempt(outcome: "ok" | Reason, seconds: number, taken: number, failed: number): void;
  retried(reason: Reason, alerts: number): void;
  dead(reason: Reason, alerts: number): void;
  /** Parts of alerts that the destination did not take and that were left out. */
  omitted(parts: number): void;
  breaker(state: BreakerState): void;
  /** A listener of outcomes could not hear one. */
  listenerFailed(listener: string): void;
}

/** The first listener: counts attempts and verdicts. */
export const countOutcomes = (metrics: DeliveryMetrics): OutcomeListener => ({
  name: "metrics",
  attempted: ({ failure, ms, alerts, taken }) =>
    metrics.attempt(failure?.reason ?? "ok", ms / 1000, taken, alerts - taken),
  kept: ({ reason }) => metrics.retried(reason, 1),
  settled: ({ verdicts }) => {
    if (!verdicts) return;
    for (const [reason, alerts] of countOf(verdicts, "retry")) metrics.retried(reason, alerts);
    for (const [reason, alerts] of countOf(verdicts, "dead")) metrics.dead(reason, alerts);
  },
});

const countOf = (verdicts: readonly Verdict[], kind: "retry" | "dead"): Map<Reason, number> => {
  const counts = new Map<Reason, number>();
  for (const verdict of verdicts) {
    if (verdict.kind !== kind || verdict.reason === undefined) continue;
    counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
  }
  return counts;
};
