import { DeliveryError, type Reason } from "./errors.ts";

/** One alert of a batch that the destination did not take while it took others. */
export interface AlertFault {
  /** Place of the alert in the batch, from 0. */
  readonly index: number;
  readonly reason: Reason;
  /** False: sending this alert again can never succeed. */
  readonly retryable: boolean;
  /** The destination's own words about it, one line (`src/sdk/words.ts`). */
  readonly said?: string;
  /** Where an order is kept, others need not wait for it. */
  readonly aside?: boolean;
}

/** A connection that broke among other faults is told as such: it must not be used again. */
const broken: ReadonlySet<Reason> = new Set(["network", "tls", "timeout"]);

const reasonOf = (faults: readonly AlertFault[]): Reason => {
  const reasons = new Set(faults.map(({ reason }) => reason));
  const [first = "other"] = reasons;
  return reasons.size === 1 ? first : ([...reasons].find((reason) => broken.has(reason)) ?? "partial");
};

/**
 * Ends a delivery of which the destination told alert by alert: returns when there are no faults, else throws the one
 * DeliveryError that names each alert. Its reason is theirs where they share one, else `partial`.
 */
export const failures = (faults: readonly AlertFault[], message: (reason: Reason, alerts: number) => string): void => {
  if (faults.length === 0) return;
  const sorted = faults.toSorted((a, b) => a.index - b.index);
  const places = (of: (fault: AlertFault) => boolean): number[] => sorted.filter(of).map(({ index }) => index);
  const dead = places(({ retryable }) => !retryable);
  const aside = places(({ aside }) => aside === true);
  const reason = reasonOf(sorted);
  throw new DeliveryError(
    message(reason, sorted.length),
    {
      reason,
      retryable: dead.length < sorted.length,
      failed: places(() => true),
      ...(dead.length > 0 && { dead }),
      ...(aside.length > 0 && { aside }),
    },
    new Map(sorted.map(({ index, said = "" }) => [index, said])),
  );
};
