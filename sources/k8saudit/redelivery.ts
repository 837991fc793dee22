import { createHash } from "node:crypto";

/** How a body ended: the answer it got, repeated for the same bytes. */
export interface Redelivery<R> {
  /**
   * What `take` gives for a body seen for the first time; for the same bytes within the window the first one's result,
   * also while that is still on its way. A `take` that throws is forgotten: the next delivery is a first one.
   */
  once(body: Uint8Array, take: () => Promise<R>): Promise<R>;
}

interface Seen<R> {
  readonly at: number;
  readonly result: Promise<R>;
  weight: number;
}

/**
 * Recognises redelivered bodies by all of their bytes. Never by auditID: clients of the API server choose it, and could
 * hide an event behind the id of another. `now` is in milliseconds; at most `limit` bodies are remembered, and results that
 * by `weigh` come to `limit` times hundred together.
 */
export const createRedelivery = <R>(
  windowMs: number,
  now: () => number,
  weigh: (result: R) => number = () => 0,
  limit = 20_000,
): Redelivery<R> => {
  const seen = new Map<string, Seen<R>>();
  let weight = 0;

  const drop = (key: string, entry: Seen<R>): void => {
    if (seen.get(key) !== entry) return;
    seen.delete(key);
    weight -= entry.weight;
  };
  const forget = (): void => {
    for (const [key, entry] of seen) {
      if (seen.size <= limit && weight <= limit * 100 && now() - entry.at < windowMs) return;
      drop(key, entry);
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
      const entry: Seen<R> = { at: now(), result, weight: 0 };
      seen.set(key, entry);
      result.then(
        (known) => {
          if (seen.get(key) !== entry) return;
          entry.weight = weigh(known);
          weight += entry.weight;
        },
        () => drop(key, entry),
      );
      return result;
    },
  };
};
