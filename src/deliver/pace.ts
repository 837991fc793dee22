import type { Gate } from "./gate.ts";

/** Retry-After holds for the whole destination: nothing is sent before it is over, whatever alert it was said about. */
export const pace = (): Gate => {
  let until = -Infinity;
  return {
    wait: (at) => Math.max(until - at, 0),
    leave: (at, failure) => {
      if (failure?.retryable && failure.retryAfterMs) until = Math.max(until, at + failure.retryAfterMs);
    },
  };
};
