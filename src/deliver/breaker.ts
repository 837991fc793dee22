import type { Failure } from "./failure.ts";
import type { Gate } from "./gate.ts";

export type BreakerState = "closed" | "open" | "half_open";

export interface Breaker extends Gate {
  state(at: number): BreakerState;
  /** The failure that opened it or keeps it open; undefined while closed. */
  failing(): Failure | undefined;
}

/**
 * Opens after `failures` failed attempts in a row, stays open for `openMs`, then lets one attempt through: its success
 * closes the breaker, its failure opens it again. Only failures of the destination count: an alert that it refuses, a
 * batch that it took in part and a bug of ours show that it is there, or nothing at all.
 */
export const breaker = (
  settings: { readonly failures: number; readonly openMs: number },
  changed: (state: BreakerState) => void = () => {},
): Breaker => {
  let inRow = 0;
  let openUntil: number | undefined;
  let last: Failure | undefined;
  let probing = false;

  const shut = (): void => {
    inRow = 0;
    last = undefined;
    if (openUntil === undefined) return;
    openUntil = undefined;
    changed("closed");
  };
  const trip = (at: number): void => {
    openUntil = at + settings.openMs;
    changed("open");
  };

  return {
    wait: (at) => {
      if (openUntil === undefined) return 0;
      return at < openUntil ? openUntil - at : probing ? Infinity : 0;
    },
    enter: () => {
      if (openUntil === undefined) return;
      probing = true;
      changed("half_open");
    },
    leave: (at, failure) => {
      const probed = probing;
      probing = false;
      if (failure && saysNothing(failure)) return;
      if (!failure || !isOutage(failure)) return shut();
      last = failure;
      inRow += 1;
      if (probed || (openUntil === undefined && inRow >= settings.failures)) trip(at);
    },
    state: (at) => (openUntil === undefined ? "closed" : probing || at >= openUntil ? "half_open" : "open"),
    failing: () => (openUntil === undefined ? undefined : last),
  };
};

const saysNothing = (failure: Failure): boolean => failure.reason === "bug" || failure.reason === "config";
const isOutage = (failure: Failure): boolean => failure.retryable && failure.failed === undefined;
