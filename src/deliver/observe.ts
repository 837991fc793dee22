import type { Logger } from "pino";
import type { Reason } from "../sdk/errors.ts";
import type { BreakerState } from "./breaker.ts";
import type { Failure } from "./failure.ts";
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
}

export interface Health {
  /** False from a failed attempt to the next one that worked. */
  readonly healthy: boolean;
  /** Milliseconds since the epoch. */
  readonly lastSuccessAt?: number;
  readonly lastFailure?: { readonly at: number } & Pick<Failure, "reason" | "message" | "outline">;
  /** Failed attempts since the last one that worked. */
  readonly failures: number;
}

export interface Observer {
  attempt(failure: Failure | undefined, ms: number, alerts: number): void;
  verdicts(verdicts: readonly Verdict[]): void;
  breaker(state: BreakerState): void;
  health(): Health;
}

/** A destination that fails every other time writes a line a minute, not a line an alert. */
const quietMs = 60_000;

/** Counts everything, logs transitions: the first failure and the recovery. */
export const observe = (parts: {
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly now: () => number;
}): Observer => {
  const { log, metrics, now } = parts;
  let failures = 0;
  let unlogged = 0;
  let loggedAt: number | undefined;
  let announced = false;
  let lastSuccessAt: number | undefined;
  let lastFailure: Health["lastFailure"];

  const failed = (failure: Failure, at: number): void => {
    failures += 1;
    unlogged += 1;
    const changed = lastFailure?.reason !== failure.reason || lastFailure.message !== failure.message;
    const { reason, message, outline = message } = failure;
    lastFailure = { at, reason, message, outline };
    if (announced && !changed) return;
    if (loggedAt !== undefined && at >= loggedAt && at - loggedAt < quietMs) return;
    log.warn({ reason: failure.reason, failures: unlogged }, `delivery failed: ${failure.message}`);
    loggedAt = at;
    unlogged = 0;
    announced = true;
  };

  const worked = (at: number): void => {
    if (announced) log.info({ failures }, "delivery works again");
    announced = false;
    failures = 0;
    lastSuccessAt = at;
  };

  return {
    attempt: (failure, ms, alerts) => {
      const lost = failure ? Math.min(failure.failed?.length ?? alerts, alerts) : 0;
      const at = now();
      metrics.attempt(failure?.reason ?? "ok", ms / 1000, alerts - lost, lost);
      if (failure) failed(failure, at);
      else worked(at);
    },
    verdicts: (verdicts) => {
      for (const [reason, alerts] of count(verdicts, "retry")) metrics.retried(reason, alerts);
      for (const [reason, alerts] of count(verdicts, "dead")) metrics.dead(reason, alerts);
    },
    breaker: (state) => metrics.breaker(state),
    health: () => ({
      healthy: failures === 0,
      failures,
      ...(lastSuccessAt !== undefined && { lastSuccessAt }),
      ...(lastFailure !== undefined && { lastFailure }),
    }),
  };
};

const count = (verdicts: readonly Verdict[], kind: "retry" | "dead"): Map<Reason, number> => {
  const counts = new Map<Reason, number>();
  for (const verdict of verdicts) {
    if (verdict.kind !== kind || verdict.reason === undefined) continue;
    counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
  }
  return counts;
};
