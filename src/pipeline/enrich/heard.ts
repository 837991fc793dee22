import type { Logger } from "pino";
import { createThrottledLog } from "../../sdk/throttled-log.ts";

/** Hears of each thing that a provider told, of each beginning of a stream, and of what was left out and why (a closed list). */
export type Heard = (what: "event" | "start" | "drop", why?: string) => void;

/** Counts, and says in the log what was left out, which may be every object of a cluster. */
export const createHeard = (log: Pick<Logger, "warn">, count: Heard): Heard => {
  const leftOut = createThrottledLog(log);
  return (what, why = "") => {
    count(what, why);
    if (what === "drop") leftOut.warn(why, { reason: why }, words[why] ?? `an object was left out for its ${why}`);
  };
};

const words: Readonly<Record<string, string>> = {
  full: "metadata.maxobjects or metadata.maxbytes leaves no room for another object",
  too_large: "an object was left out: it is larger than any that Kubernetes takes",
};
