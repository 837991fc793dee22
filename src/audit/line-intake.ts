import { setTimeout as wait } from "node:timers/promises";
import type { Incoming } from "../sdk/event.ts";
import type { SourceHost } from "../sdk/source.ts";
import { createThrottledLog } from "../sdk/throttled-log.ts";
import { tooLong } from "./lines.ts";
import { type Dropped, mostEvents, type PayloadLimits, splitPayload } from "./payload.ts";

/** Takes the lines of one file in their order. */
export interface LineIntake {
  /** Resolves when there is room for more. */
  line(text: Buffer): Promise<void>;
  /** Resolves when everything taken so far would survive; rejects when the source was closed before. */
  flush(): Promise<void>;
  /** The next line has this number; for a file that begins anew. */
  restart(line: number): void;
}

const batchEvents = 400;
const batchChars = 1 << 20;
/** Bad lines that are logged one by one; behind them one log line each 30 s says how many there were. */
const namedLines = 100;
const firstWaitMs = 100;
const maxWaitMs = 5_000;

/** A line may hold several events, and blanks that do not count; but memory has an end. */
export const maxLineBytes = (limits: PayloadLimits): number => Math.max(4 * limits.maxEventBytes, 64 << 20);

const lineTooLong: { readonly events: readonly Incoming[]; readonly dropped: readonly Dropped[] } = {
  events: [],
  dropped: [{ index: 0, reason: "too_large", message: "the line is longer than any event may be" }],
};

/**
 * Pushes the events of lines in batches. A bad line is reported with its number and left out. When the hub cannot store
 * anything, it waits and tries again: a file does not run away.
 */
export const createLineIntake = (
  host: Pick<SourceHost, "push" | "drop" | "log">,
  limits: PayloadLimits,
  file: string,
  signal: AbortSignal,
): LineIntake => {
  let number = 1;
  let named = 0;
  const others = createThrottledLog(host.log);
  let batch: Incoming[] = [];
  let chars = 0;

  const flush = async (): Promise<void> => {
    const events = batch;
    batch = [];
    chars = 0;
    if (events.length === 0) return;
    for (let ms = firstWaitMs; ; ms = Math.min(ms * 2, maxWaitMs)) {
      try {
        return await host.push(events);
      } catch {
        host.log.warn({ file, events: events.length }, "audit events cannot be stored now: waiting");
        await wait(ms, undefined, { signal });
      }
    }
  };

  return {
    async line(bytes) {
      const at = number++;
      if (bytes.length === 0) return;
      const { events, dropped } =
        bytes === tooLong ? lineTooLong : splitPayload(bytes.toString(), { ...limits, maxEvents: mostEvents });
      for (const { reason, message, auditID } of dropped) {
        host.drop?.(1, reason);
        const facts = { file, line: at, reason, ...(auditID !== undefined && { auditID }) };
        if (named++ < namedLines) host.log.warn(facts, `bad line skipped: ${message}`);
        else others.warn(reason, facts, `bad lines skipped, the last of them: ${message}`);
      }
      for (const event of events) {
        batch.push(event);
        chars += event.text.length;
      }
      if (batch.length >= batchEvents || chars >= batchChars) await flush();
    },
    flush,
    restart(line) {
      number = line;
    },
  };
};
