import type { Logger } from "pino";
import type { Failure } from "./failure.ts";
import type { OutcomeListener } from "./outcomes.ts";

export interface Health {
  /** False from a failed attempt to the next one that worked. */
  readonly healthy: boolean;
  /** Milliseconds since the epoch. */
  readonly lastSuccessAt?: number;
  readonly lastFailure?: { readonly at: number } & Pick<Failure, "reason" | "message" | "outline">;
  /** Failed attempts since the last one that worked. */
  readonly failures: number;
}

/** A destination that fails every other time writes a line a minute, not a line an alert. */
const quietMs = 60_000;

/** Keeps how a destination is, and logs transitions: the first failure and the recovery. */
export const watchHealth = ({
  log,
  now,
}: {
  readonly log: Logger;
  readonly now: () => number;
}): OutcomeListener & { health(): Health } => {
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
    name: "health",
    attempted: ({ failure }) => {
      if (failure) failed(failure, now());
      else worked(now());
    },
    health: () => ({
      healthy: failures === 0,
      failures,
      ...(lastSuccessAt !== undefined && { lastSuccessAt }),
      ...(lastFailure !== undefined && { lastFailure }),
    }),
  };
};
