import { DeliveryError } from "../sdk/errors.ts";
import type { Clock } from "../time/clock.ts";

interface Attempt {
  readonly due: number;
  readonly stop: AbortController;
  readonly reject: (error: DeliveryError) => void;
}

/**
 * Bounds attempts in time. The signal tells the work to stop; the answer does not wait for work that ignores it, since a
 * client library that hangs must not hold a slot. All attempts last alike, so one timer, for the oldest, serves them all.
 */
export const timed = <A, T>(ms: number, clock: Clock, work: (input: A, signal: AbortSignal) => Promise<T>) => {
  const running = new Set<Attempt>();
  let cancel = (): void => {};

  const watch = (waitMs: number): void => {
    cancel = clock.after(waitMs, expire);
  };
  const expire = (): void => {
    const now = clock.ticks();
    const expired: Attempt[] = [];
    for (const attempt of running) {
      // A timer may come a fraction of a millisecond early.
      if (attempt.due - now >= 1) {
        watch(attempt.due - now);
        break;
      }
      running.delete(attempt);
      expired.push(attempt);
    }
    for (const { reject, stop } of expired) {
      const late = new DeliveryError(`no answer within ${ms} ms`, { reason: "timeout", retryable: true });
      reject(late);
      stop.abort(late);
    }
  };

  return (input: A): Promise<T> =>
    new Promise((resolve, reject) => {
      const attempt: Attempt = { due: clock.ticks() + ms, stop: new AbortController(), reject };
      const over = (): void => {
        if (running.delete(attempt) && running.size === 0) cancel();
      };
      if (running.size === 0) watch(ms);
      running.add(attempt);
      settled(work, input, attempt.stop.signal).then(
        (value) => {
          over();
          resolve(value);
        },
        (error) => {
          over();
          reject(error);
        },
      );
    });
};

/** What work throws at once is a rejection like any other. */
const settled = <A, T>(work: (input: A, signal: AbortSignal) => Promise<T>, input: A, signal: AbortSignal) => {
  try {
    return work(input, signal);
  } catch (error) {
    return Promise.reject(error);
  }
};
