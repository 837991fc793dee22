import type { Logger } from "pino";
import type { ProxyEnv } from "../config/proxy.ts";
import type { OutputInstance } from "../config/types.ts";
import { type Codec, read } from "../queue/codec.ts";
import type { Handle, Item, Queue, Settlement } from "../queue/queue.ts";
import { rawEvent } from "../sdk/alert.ts";
import type { Alert, Alerts, HubFacts } from "../sdk/output.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { type Outcome, openBatcher } from "./batcher.ts";
import { type BreakerState, breaker } from "./breaker.ts";
import { concurrency } from "./concurrency.ts";
import { type Failure, failureOf, framesOf, type Mask, noMask } from "./failure.ts";
import { every } from "./gate.ts";
import { openHttp } from "./http.ts";
import { limit } from "./limit.ts";
import { type DeliveryMetrics, type Health, type Observer, observe } from "./observe.ts";
import { pace } from "./pace.ts";
import { postponements } from "./postponed.ts";
import { openSender, type Taken } from "./sender.ts";
import { timed } from "./timeout.ts";
import { judge, settle } from "./verdict.ts";

export interface DeliveryDeps {
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Of the lane's bodies. */
  readonly codec: Codec<readonly Alert[]>;
  readonly hub: HubFacts;
  readonly proxy?: ProxyEnv;
  /** For what destinations say, which may repeat what they were sent; absent: nothing is secret. */
  readonly mask?: Mask;
  readonly clock?: Clock;
  /** The queue's, for synchronous work on items in hand. */
  readonly during?: Queue["during"];
}

export interface DeliveryState extends Health {
  readonly breaker: BreakerState;
  /** Attempts in flight, and items taken from the lane. */
  readonly inFlight: number;
  readonly inHand: number;
}

export interface Delivery {
  /** For queue.consume on the output's lane; never rejects. */
  readonly handle: Handle;
  /** Items to take from the lane at once. */
  readonly parallel: number;
  state(): DeliveryState;
  /** Goes on for `deadlineMs`, then hands back to the lane what is left and closes the connections. */
  close(deadlineMs: number): Promise<void>;
}

/** What `maxconcurrentrequests: 0` comes to: no destination is helped by more, and sockets are finite. */
const unlimited = 256;
/** Items in hand bound the memory that a dead destination takes. */
const mostItems = 64;

/**
 * One destination. An item is decoded, its alerts joined into requests when the gates let one pass, each attempt bounded
 * in time, and the outcome judged per alert: ack, retry later (in the lane, never here), or dead letter.
 */
export const openDelivery = async (instance: OutputInstance, deps: DeliveryDeps): Promise<Delivery> => {
  const { delivery, transport, output } = instance;
  const { now, random, codec, hub, proxy, mask = noMask, clock = systemClock } = deps;
  const during: Queue["during"] = deps.during ?? ((_, work) => work());
  const log = deps.log.child({ output: instance.id });
  const slots = output.ordered ? 1 : Math.min(delivery.maxconcurrentrequests || unlimited, unlimited);
  const limits = delivery.batch ?? output.batchOf?.(instance.config) ?? output.batch;

  const observer = observe({ log, metrics: deps.metrics, now });
  const http = openHttp(transport, proxy, { connections: slots, now });
  const sender = openSender(instance, { http, log, now, clock, hub, mask, omitted: deps.metrics.omitted });
  const flights = concurrency(slots);
  const fuse = breaker(delivery.breaker, observer.breaker);
  const rate = delivery.ratelimit ? [limit(delivery.ratelimit, clock.ticks())] : [];
  const postponed = postponements();

  // Outside in: batch, limit, breaker, timeout, send.
  const batcher = openBatcher({
    limits,
    weigh: (alert) => Buffer.byteLength(rawEvent(alert)),
    joins: output.joins,
    gate: every([flights, ...rate, pace(), fuse]),
    attempt: observed({ observer, clock, log, mask }, timed(delivery.timeoutMs, clock, sender.send)),
    during,
    clock,
    ...(output.ordered && {
      again: (failure, attempts, item) => {
        const circumstances = { attempts: attempts + (item?.attempt ?? 0), at: item?.at ?? 0, now: now(), random };
        const [verdict] = judge([{ kind: "failed", failure, permanent: false }], delivery.retry, {
          ...circumstances,
          failing: undefined,
        });
        if (verdict?.kind !== "retry") return undefined;
        deps.metrics.retried(failure.reason, 1);
        return verdict.inMs;
      },
    }),
  });

  const handle: Handle = async (item) => {
    const alerts = alertsOf(item, codec);
    if (!alerts) return { dead: [{ body: item.body, count: item.count, why: "bug: the chunk cannot be decoded" }] };
    const outcomes = await batcher.deliver(alerts, item);
    if (outcomes.every(isTaken)) {
      postponed.settled(item.id, false, true);
      return done;
    }
    const attempted = outcomes.some((outcome) => outcome.kind === "failed");
    const attempts = item.attempt + attemptsOf(outcomes) - postponed.of(item.id);
    const circumstances = { attempts, at: item.at, now: now(), random, failing: fuse.failing() };
    const verdicts = judge(outcomes, delivery.retry, circumstances);
    observer.verdicts(verdicts);
    const settlement = during([item], () => settle(alerts, verdicts, codec));
    postponed.settled(item.id, settlement.retry !== undefined, attempted);
    return settlement;
  };

  observer.breaker("closed");
  sender.warm();
  return {
    handle,
    parallel: Math.max(slots, Math.min(slots * (limits?.items ?? 2), mostItems)),
    state: () => ({
      ...observer.health(),
      breaker: fuse.state(clock.ticks()),
      inFlight: flights.inFlight(),
      inHand: batcher.inHand(),
    }),
    close: async (deadlineMs) => {
      await batcher.close(deadlineMs);
      await sender.close();
      await http.close();
    },
  };
};

/** Made while the item was in hand: most often one. */
const attemptsOf = (outcomes: readonly Outcome[]): number =>
  outcomes.reduce((most, outcome) => (outcome.kind === "failed" ? Math.max(most, outcome.attempts ?? 1) : most), 1);

const isTaken = (outcome: Outcome): boolean => outcome.kind === "taken";
const done: Settlement = {};

/** The `destination` label: falcosidekick's spelling for an output's only instance, else the instance's id. */
export const destinationOf = ({ id, name, output }: OutputInstance): string =>
  name === undefined ? (output.label ?? id) : id;

/** An attempt that cannot throw, measured and logged. */
const observed =
  (
    { observer, clock, log, mask }: { observer: Observer; clock: Clock; log: Logger; mask: Mask },
    attempt: (taken: Taken) => Promise<void>,
  ) =>
  (alerts: Alerts, accepted: readonly number[]): Promise<Failure | undefined> => {
    const start = clock.ticks();
    const told = (failure: Failure | undefined): Failure | undefined => {
      observer.attempt(failure, clock.ticks() - start, alerts.length);
      return failure;
    };
    return attempt({ alerts, accepted }).then(
      () => told(undefined),
      (error) => {
        const failure = failureOf(error, mask);
        if (failure.reason === "bug") log.error({ frames: framesOf(error) }, failure.message);
        return told(failure);
      },
    );
  };

/** Undefined: the item cannot be read. */
const alertsOf = (item: Item, codec: Codec<readonly Alert[]>): readonly Alert[] | undefined => {
  try {
    return read(item, codec);
  } catch {
    return undefined;
  }
};
