import type { Codec } from "../queue/codec.ts";
import type { Settlement } from "../queue/queue.ts";
import type { Reason } from "../sdk/errors.ts";
import type { Alert } from "../sdk/output.ts";
import { backoffMs, waitMs } from "../time/backoff.ts";
import type { Failure } from "./failure.ts";
import type { Outcome } from "./tickets.ts";

export interface RetryLimits {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Attempts in all; absent: without limit. */
  readonly maxAttempts?: number;
  /** Age since acceptance at which a failing alert is given up; absent: never. */
  readonly maxAgeMs?: number;
}

export interface Circumstances {
  /** Attempts made on the item, this one included. */
  readonly attempts: number;
  /** Milliseconds since acceptance. */
  readonly ageMs: number;
  readonly random: () => number;
  /** The failure that keeps the destination shut, when its breaker is not closed. */
  readonly failing: Failure | undefined;
}

/** Per alert: taken, again after `inMs`, or never again. */
export type Verdict =
  | { readonly kind: "ack" }
  | { readonly kind: "retry"; readonly inMs: number; readonly reason?: Reason }
  | { readonly kind: "dead"; readonly reason: Reason; readonly why: string };

/** Taken. */
export const ack: Verdict = { kind: "ack" };

/** The verdicts on one item's alerts. All that are retried wait alike, since they stay one item. */
export const judge = (
  outcomes: readonly Outcome[],
  limits: RetryLimits,
  circumstances: Circumstances,
): readonly Verdict[] => {
  const { attempts, ageMs, random, failing } = circumstances;
  const backoff = backoffMs(attempts, limits, random);
  const tooOld = limits.maxAgeMs !== undefined && ageMs >= limits.maxAgeMs;
  const tooOften = limits.maxAttempts !== undefined && attempts >= limits.maxAttempts;

  const one = (outcome: Outcome): Verdict => {
    if (outcome.kind === "taken") return ack;
    if (outcome.kind === "held")
      return failing && tooOld ? dead(failing, gaveUp(ageMs)) : { kind: "retry", inMs: outcome.waitMs };
    const { failure } = outcome;
    if (outcome.permanent) return dead(failure);
    if (tooOften) return dead(failure, `given up after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`);
    if (tooOld) return dead(failure, gaveUp(ageMs));
    return { kind: "retry", inMs: waitMs(backoff, failure.retryAfterMs), reason: failure.reason };
  };
  return outcomes.map(one);
};

const dead = (failure: Failure, note?: string): Verdict => ({
  kind: "dead",
  reason: failure.reason,
  why: `${failure.reason}: ${failure.message}${note ? `; ${note}` : ""}`,
});

const gaveUp = (ageMs: number): string => `given up at the age of ${Math.floor(ageMs / 1000)} s`;

/** The verdicts as one step of the queue: dead parts by reason, and one retry that holds only what failed. */
export const settlementOf = (
  alerts: readonly Alert[],
  verdicts: readonly Verdict[],
  codec: Codec<readonly Alert[]>,
): Settlement => {
  const again: Alert[] = [];
  let inMs = 0;
  const dying = new Map<string, Alert[]>();
  alerts.forEach((alert, i) => {
    const verdict = verdicts[i] ?? ack;
    if (verdict.kind === "retry") {
      again.push(alert);
      inMs = Math.max(inMs, verdict.inMs);
    } else if (verdict.kind === "dead") {
      const group = dying.get(verdict.why);
      if (group) group.push(alert);
      else dying.set(verdict.why, [alert]);
    }
  });
  return {
    ...(dying.size > 0 && {
      dead: [...dying].map(([why, part]) => ({ body: codec.encode(part), count: part.length, why })),
    }),
    ...(again.length > 0 && {
      retry: {
        body: codec.encode(again),
        count: again.length,
        inMs: Math.ceil(inMs),
        decoded: { codec, value: again },
      },
    }),
  };
};
