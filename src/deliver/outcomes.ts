import type { Logger } from "pino";
import type { Reason } from "../sdk/errors.ts";
import { createThrottledLog } from "../sdk/throttled-log.ts";
import { type Failure, framesOf } from "./failure.ts";
import type { Verdict } from "./verdict.ts";

/** An alert as outcomes name it. Its uuid is the sender's choice and may come again; in one chunk of a lane it means this one. */
export interface AlertId {
  readonly lane: string;
  readonly chunk: string;
  readonly uuid: string;
}

/** What one attempt made of one alert. */
export interface AlertAttempt extends AlertId {
  /** Attempts made with it, this one included. */
  readonly attempt: number;
  /** Absent: the destination took it. */
  readonly failure?: Failure;
}

/** One request to a destination that is over, be it by its time limit. */
export interface Attempt {
  /** Id of the output instance. */
  readonly output: string;
  /** Alerts of the request, and those of them that the destination took. */
  readonly alerts: number;
  readonly taken: number;
  /** From its begin to its end, in milliseconds. */
  readonly ms: number;
  /** Absent: all were taken. */
  readonly failure?: Failure;
  /** Each alert of the request, in its order; made when it is asked for, which is only while the listener is told. */
  each(): readonly AlertAttempt[];
}

/** An alert that failed where an order is kept: it goes again before all that is newer, without going back to the lane. */
export interface Kept extends AlertId {
  readonly output: string;
  readonly attempt: number;
  readonly reason: Reason;
  readonly inMs: number;
}

/** What is to become of one alert: taken, again later, or given up. */
export interface AlertVerdict extends AlertId {
  readonly verdict: Verdict;
}

/**
 * A chunk that goes back to its lane with a verdict on each of its alerts. The lane writes it next: what a crash comes
 * before is told once more, under the same ids.
 */
export interface Settled {
  readonly output: string;
  readonly lane: string;
  readonly chunk: string;
  readonly alerts: number;
  /** Attempts made with the chunk, those of earlier times included. */
  readonly attempts: number;
  /** In the order of the alerts; absent: all were taken. */
  readonly verdicts?: readonly Verdict[];
  /** Each alert of the chunk, in its order, none when it cannot be read; made when it is asked for. */
  each(): readonly AlertVerdict[];
}

/** Hears what became of alerts. What it throws is logged and counted, and changes nothing; nobody waits for it. */
export interface OutcomeListener {
  readonly name: string;
  /** After each attempt, before what follows from it. */
  attempted?(attempt: Attempt): void;
  kept?(kept: Kept): void;
  /** After the last attempt of each of the chunk's alerts, if any was made. */
  settled?(settled: Settled): void;
}

/** The one place that delivery tells outcomes to. None of these throws. */
export type Outcomes = Required<Omit<OutcomeListener, "name">>;

/** Tells all listeners, in their order. `failed` counts those that could not hear. */
export const openOutcomes = (
  listeners: readonly OutcomeListener[],
  { log, failed }: { readonly log: Pick<Logger, "warn">; readonly failed: (listener: string) => void },
): Outcomes => {
  const quiet = createThrottledLog(log);
  const broke = ({ name }: OutcomeListener, error: unknown): void => {
    quiet.warn(name, { listener: name, frames: framesOf(error) }, "a listener of outcomes failed");
    try {
      failed(name);
    } catch {
      // It was the counting one that failed.
    }
  };
  const telling = <E>(hearing: (listener: OutcomeListener) => ((event: E) => unknown) | undefined) => {
    const all = listeners.flatMap((listener) => {
      const hear = hearing(listener)?.bind(listener);
      return hear ? [{ listener, hear }] : [];
    });
    return (event: E): void => {
      for (const { listener, hear } of all)
        try {
          const heard = hear(event);
          // An asynchronous function is taken for one without an answer: its rejection would end the process.
          if (heard instanceof Promise) heard.catch((error) => broke(listener, error));
        } catch (error) {
          broke(listener, error);
        }
    };
  };
  return {
    attempted: telling<Attempt>((listener) => listener.attempted),
    kept: telling<Kept>((listener) => listener.kept),
    settled: telling<Settled>((listener) => listener.settled),
  };
};
