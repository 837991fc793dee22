import { DeliveryError } from "../sdk/errors.ts";
import type { Clock } from "./clock.ts";

/**
 * Bounds one attempt. The signal tells the work to stop; the answer does not wait for work that ignores it, since a
 * client library that hangs must not hold a slot.
 */
export const timed =
  <A, T>(ms: number, clock: Clock, work: (input: A, signal: AbortSignal) => Promise<T>) =>
  async (input: A): Promise<T> => {
    const stop = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(ms, () => {
      const late = new DeliveryError(`no answer within ${ms} ms`, { reason: "timeout", retryable: true });
      reject(late);
      stop.abort(late);
    });
    try {
      return await Promise.race([work(input, stop.signal), promise]);
    } finally {
      cancel();
    }
  };
