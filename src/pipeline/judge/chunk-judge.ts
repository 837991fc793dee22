import type { Logger } from "pino";
import type { Alert } from "../../sdk/alert.ts";
import type { Incoming } from "../../sdk/event.ts";
import { type JsonEvent, openEvent } from "../../sdk/json-event.ts";
import type { KubeView } from "../../sdk/kubernetes.ts";
import { createThrottledLog } from "../../sdk/throttled-log.ts";
import type { AlertSettings } from "../alert-in.ts";
import type { Counts } from "../counts.ts";
import type { ChunkFacts } from "../stages.ts";
import type { EventRules } from "./event-rules.ts";
import { formatMatches } from "./format.ts";

/** What judging needs beside the rules. */
export interface JudgeParts {
  readonly log: Logger;
  readonly counts: Pick<Counts, "judged" | "notJudged">;
  /** What is done to every alert that the hub takes. */
  readonly settings: AlertSettings;
  /** Writes what is known of where the event happened into its alerts; absent: nothing is to be added. */
  readonly added?: (alert: Alert, view: KubeView) => Alert;
}

/** The alerts of a chunk's events: an event is matched, then what it matched is formatted. */
export type ChunkJudge = (rules: EventRules, events: readonly Incoming[], chunk: ChunkFacts) => readonly Alert[];

export const createChunkJudge = ({ log, counts, settings, added }: JudgeParts): ChunkJudge => {
  const faults = createThrottledLog(log);
  /** What cannot be added costs no alert. */
  const enriched = (alert: Alert, event: JsonEvent, rules: EventRules): Alert => {
    try {
      const view = added && rules.view(event);
      return view ? added(alert, view) : alert;
    } catch (error) {
      faults.warn("not enriched", { reason: error instanceof Error ? error.name : "" }, "an alert was not enriched");
      return alert;
    }
  };
  /** `evt.num`, over all chunks. */
  let number = 0;
  return (rules, events, chunk) => {
    const alerts: Alert[] = [];
    for (const [index, incoming] of events.entries()) {
      try {
        const event = openEvent(incoming, ++number, chunk.at);
        const matched = rules.match(event);
        if (matched.length === 0) continue;
        for (const alert of formatMatches(event, matched, rules, settings)) alerts.push(enriched(alert, event, rules));
      } catch (error) {
        // One event must not hold up its chunk for ever.
        counts.notJudged();
        const reason = error instanceof Error ? error.name : "";
        faults.warn("not judged", { chunk: chunk.id, index, reason }, "an event was not judged");
      }
    }
    counts.judged(alerts);
    return alerts;
  };
};
