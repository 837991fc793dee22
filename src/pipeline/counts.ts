import type { Metrics } from "../metrics/metrics.ts";
import type { Alert } from "../sdk/alert.ts";

/** What is counted of events and alerts before they are in the lanes of outputs: each of them here, and nowhere else. */
export interface Counts {
  /** What came from a source (`requests` for HTTP) and is durable. */
  accepted(source: string, n: number): void;
  /** What came from a source and can never be taken, by a reason from a closed list. */
  rejected(source: string, reason: string, n: number): void;
  /** A request that was refused with whatever it carried; `asInput`: for what it carried. */
  turnedAway(source: string, reason: string, asInput: boolean): void;
  /** Alerts that senders posted, once they are durable. */
  posted(alerts: readonly Alert[]): void;
  /** Alerts that the hub's own rules made. */
  judged(alerts: readonly Alert[]): void;
  /** An event that the rules failed on. */
  notJudged(): void;
}

/** Those that are added to here alone. */
export type CountedMetrics = Pick<Metrics, "input" | "intakeRejected" | "event" | "ruleMatch" | "eventNotJudged">;

export const countIn = (metrics: CountedMetrics): Counts => ({
  accepted: (source, n) => metrics.input(source, "accepted", n),
  rejected: (source, reason, n) => {
    metrics.input(source, "rejected", n);
    metrics.intakeRejected(source, reason, n);
  },
  turnedAway: (source, reason, asInput) => {
    metrics.intakeRejected(source, reason, 1);
    if (asInput) metrics.input(source, "rejected", 1);
  },
  posted: (alerts) => {
    for (const alert of alerts) metrics.event(alert);
  },
  judged: (alerts) => {
    for (const alert of alerts) {
      metrics.ruleMatch(alert.rule, alert.priority, alert.source);
      metrics.event(alert);
    }
  },
  notJudged: () => metrics.eventNotJudged(),
});
