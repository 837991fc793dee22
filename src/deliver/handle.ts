import { type Codec, read } from "../queue/codec.ts";
import type { Handle, Item, Queue, Settlement } from "../queue/queue.ts";
import type { Alert } from "../sdk/output.ts";
import type { Batcher } from "./batcher.ts";
import type { Breaker } from "./breaker.ts";
import type { FlightParts } from "./flights.ts";
import type { Outcomes } from "./outcomes.ts";
import type { Postponements } from "./postponed.ts";
import type { Outcome } from "./tickets.ts";
import { idOf } from "./told-attempt.ts";
import { ack, judge, type RetryLimits, settlementOf, type Verdict } from "./verdict.ts";

export interface HandleParts {
  /** Id of the output instance. */
  readonly output: string;
  readonly retry: RetryLimits;
  readonly codec: Codec<readonly Alert[]>;
  readonly outcomes: Outcomes;
  readonly postponed: Postponements;
  readonly during: Queue["during"];
  /** Milliseconds since what was accepted at `at`, milliseconds since the epoch. */
  readonly age: (at: number) => number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** For queue.consume: delivers the alerts of an item, passes a verdict on each, and tells it; never rejects. */
export const openHandle = (parts: HandleParts, batcher: Batcher, fuse: Breaker): Handle => {
  const { output, retry, codec, outcomes, postponed, during, age, random } = parts;
  const settled = (item: Item, alerts: readonly Alert[], attempts: number, verdicts?: readonly Verdict[]): void => {
    const each = () => alerts.map((alert, i) => ({ ...idOf(alert, item), verdict: verdicts?.[i] ?? ack }));
    const facts = { output, lane: item.lane, chunk: item.id, alerts: item.count, attempts, each };
    outcomes.settled(verdicts ? { ...facts, verdicts } : facts);
  };

  return async (item) => {
    const alerts = alertsOf(item, codec);
    if (!alerts) {
      const all = Array.from({ length: item.count }, () => unreadable);
      settled(item, [], item.attempt, all);
      return { dead: [{ body: item.body, count: item.count, why: unreadable.why }] };
    }
    const results = await batcher.deliver(alerts, item);
    const attempts = item.attempt - postponed.of(item.id) + attemptsOf(results);
    if (results.every(isTaken)) {
      postponed.settled(item.id, false, true);
      settled(item, alerts, attempts);
      return done;
    }
    const attempted = results.some((outcome) => outcome.kind === "failed");
    const circumstances = { attempts, ageMs: age(item.at), random, failing: fuse.failing() };
    const verdicts = judge(results, retry, circumstances);
    settled(item, alerts, attempts, verdicts);
    const settlement = during([item], () => settlementOf(alerts, verdicts, codec));
    postponed.settled(item.id, settlement.retry !== undefined, attempted);
    return settlement;
  };
};

/** Where an order is kept: what fails stays in hand while its verdict is to send it again. */
export const keepInHand =
  ({ output, retry, outcomes, age, random }: HandleParts): NonNullable<FlightParts["again"]> =>
  (failure, { alert, item, attempts: made }) => {
    const attempts = made + (item?.attempt ?? 0);
    const circumstances = { attempts, ageMs: age(item?.at ?? 0), random, failing: undefined };
    const [verdict] = judge([{ kind: "failed", failure, permanent: false }], retry, circumstances);
    if (verdict?.kind !== "retry") return undefined;
    const { reason } = failure;
    outcomes.kept({ ...idOf(alert, item), output, attempt: attempts, reason, inMs: verdict.inMs });
    return verdict.inMs;
  };

const unreadable = { kind: "dead", reason: "bug", why: "bug: the chunk cannot be decoded" } as const;

/** Made while the item was in hand: most often one. */
const attemptsOf = (outcomes: readonly Outcome[]): number =>
  outcomes.reduce((most, outcome) => (outcome.kind === "held" ? most : Math.max(most, outcome.attempts ?? 1)), 1);

const isTaken = (outcome: Outcome): boolean => outcome.kind === "taken";
const done: Settlement = {};

/** Undefined: the item cannot be read. */
const alertsOf = (item: Item, codec: Codec<readonly Alert[]>): readonly Alert[] | undefined => {
  try {
    return read(item, codec);
  } catch {
    return undefined;
  }
};
