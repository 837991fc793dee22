import type { Logger } from "pino";

/** Warns of what may happen a thousand times a second. */
export interface ThrottledLog {
  /** The first of a `kind` is logged at once; those of the next `everyMs` become one line with their `count` and the last one's words. */
  warn(kind: string, facts: object, message: string, n?: number): void;
}

interface Held {
  count: number;
  facts: object;
  message: string;
}

/** `kind` must come from a closed list: each is remembered for a while. */
export const createThrottledLog = (log: Pick<Logger, "warn">, everyMs = 30_000): ThrottledLog => {
  const held = new Map<string, Held>();
  const hold = (kind: string): void => {
    const silent: Held = { count: 0, facts: {}, message: "" };
    held.set(kind, silent);
    setTimeout(() => {
      held.delete(kind);
      if (silent.count === 0) return;
      log.warn(
        { ...silent.facts, count: silent.count },
        `${silent.message} (${silent.count} since the last such line)`,
      );
      hold(kind);
    }, everyMs).unref();
  };
  return {
    warn: (kind, facts, message, n = 1) => {
      const silent = held.get(kind);
      if (silent) {
        silent.count += n;
        silent.facts = facts;
        silent.message = message;
        return;
      }
      log.warn(n > 1 ? { ...facts, count: n } : facts, message);
      hold(kind);
    },
  };
};
