import type { Logger } from "pino";
import type { Alert, Alerts } from "../sdk/output.ts";
import type { Clock } from "../time/clock.ts";
import { type Failure, failureOf, framesOf, type Mask, perAlert } from "./failure.ts";
import type { AlertAttempt, AlertId, Outcomes } from "./outcomes.ts";
import type { Taken } from "./sender.ts";
import type { DeliveredItem, Origin } from "./tickets.ts";

export interface Teller {
  readonly outcomes: Outcomes;
  readonly output: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mask: Mask;
  /** How often an item went back to its lane without an attempt, which the lane counts as one. */
  readonly postponed: (id: string) => number;
}

/** An attempt that cannot throw, measured, and told to the listeners before anything follows from it. */
export const told =
  ({ outcomes, output, clock, log, mask, postponed }: Teller, attempt: (taken: Taken) => Promise<void>) =>
  (alerts: Alerts, accepted: readonly number[], who: () => readonly Origin[]): Promise<Failure | undefined> => {
    const start = clock.ticks();
    const tell = (failure: Failure | undefined): Failure | undefined => {
      const lost = failure ? Math.min(failure.failed?.length ?? alerts.length, alerts.length) : 0;
      const each = (): readonly AlertAttempt[] => {
        const fates = failure && perAlert(failure);
        return who().map(({ alert, item, attempts }, i) => ({
          ...idOf(alert, item),
          attempt: (item?.attempt ?? 0) + attempts + 1 - postponed(item?.id ?? ""),
          ...(fates && !fates.taken(i) && { failure: fates.of(i) }),
        }));
      };
      const facts = { output, alerts: alerts.length, taken: alerts.length - lost, ms: clock.ticks() - start, each };
      outcomes.attempted(failure ? { ...facts, failure } : facts);
      return failure;
    };
    return attempt({ alerts, accepted }).then(
      () => tell(undefined),
      (error) => {
        const failure = failureOf(error, mask);
        if (failure.reason === "bug") log.error({ frames: framesOf(error) }, failure.message);
        return tell(failure);
      },
    );
  };

/** An alert by what it came in. */
export const idOf = ({ uuid }: Alert, item: DeliveredItem | undefined): AlertId => ({
  lane: item?.lane ?? "",
  chunk: item?.id ?? "",
  uuid,
});
