import type { SourceHost } from "../sdk/source.ts";
import { createThrottledLog } from "../sdk/throttled-log.ts";
import {
  type Dropped,
  type DropReason,
  mostEvents,
  type Payload,
  type PayloadLimits,
  splitPayload,
} from "./payload.ts";

/** Of what is dropped at once, so many are named in the log. */
const named = 20;

/**
 * For sources that are handed payloads: a body, a message, an object. Pushes the events of a text and counts what can never
 * be taken, once the rest is stored. Resolves with both; rejects as `push` does, then nothing is counted.
 */
export const createPayloadIntake = (
  host: Pick<SourceHost, "push" | "drop" | "log">,
  limits: PayloadLimits,
): ((text: string) => Promise<Payload>) => {
  const log = createThrottledLog(host.log);
  const report = (dropped: readonly Dropped[]): void => {
    const counts = new Map<DropReason, number>();
    for (const { reason } of dropped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    for (const [reason, n] of counts) host.drop?.(n, reason);
    const facts = { cluster: limits.cluster ?? "", dropped: dropped.slice(0, named) };
    log.warn("dropped", facts, "audit events dropped: they can never be taken", dropped.length);
  };
  return async (text) => {
    const payload = splitPayload(text, { maxEvents: mostEvents, ...limits });
    if (payload.events.length > 0) await host.push(payload.events);
    if (payload.dropped.length > 0) report(payload.dropped);
    return payload;
  };
};
