import { createHash } from "node:crypto";

/** How a body ended: the answer it got, repeated for the same bytes. */
export interface Redelivery<R> {
  /**
   * What `take` gives for a body seen for the first time; for the same bytes within the window the first one's result,
   * also while that is still on its way. A `take` that throws is forgotten: the next delivery is a first one.
   */
  once(body: Uint8Array, take: () => Promise<R>): Promise<R>;
}

/**
 * Recognises redelivered bodies by all of their bytes. Never by auditID: clients of the API server choose it, and could
 * hide an event behind the id of another. `now` is in milliseconds; at most `limit` bodies are remembered.
 */
export const createRedelivery = <R>(windowMs: number, now: () => number, limit = 20_000): Redelivery<R> => {
  const seen = new Map<string, { readonly at: number; readonly result: Promise<R> }>();

  const forget = (): void => {
    for (const [key, { at }] of seen) {
      if (seen.size <= limit && now() - at < windowMs) return;
      seen.delete(key);
    }
  };

  return {
    once(body, take) {
      if (windowMs <= 0) return take();
      const key = createHash("sha256").update(body).digest("base64");
      forget();
      const first = seen.get(key);
      if (first) return first.result;
      const result = take();
      const entry = { at: now(), result };
      seen.set(key, entry);
      result.catch(() => {
        if (seen.get(key) === entry) seen.delete(key);
      });
      return result;
    },
  };
};
