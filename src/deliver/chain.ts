import type { Logger } from "pino";
import type { ProxyEnv } from "../config/proxy.ts";
import type { OutputInstance } from "../config/types.ts";
import type { Codec } from "../queue/codec.ts";
import type { Handle, Queue } from "../queue/queue.ts";
import { rawEvent } from "../sdk/alert.ts";
import type { Alert, HubFacts } from "../sdk/output.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { openBatcher } from "./batcher.ts";
import { type BreakerState, breaker } from "./breaker.ts";
import { concurrency } from "./concurrency.ts";
import { countOutcomes, type DeliveryMetrics } from "./count-outcomes.ts";
import { type Mask, noMask } from "./failure.ts";
import { every } from "./gate.ts";
import { keepInHand, openHandle } from "./handle.ts";
import { type Health, watchHealth } from "./health.ts";
import { openHttp } from "./http.ts";
import { limit } from "./limit.ts";
import { type OutcomeListener, openOutcomes } from "./outcomes.ts";
import { pace } from "./pace.ts";
import { postponements } from "./postponed.ts";
import { openSender } from "./sender.ts";
import { timed } from "./timeout.ts";
import { told } from "./told-attempt.ts";

export interface DeliveryDeps {
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Told of outcomes after the metrics. */
  readonly listeners?: readonly OutcomeListener[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds since what was accepted at `at`, milliseconds since the epoch; absent: by the wall clock. */
  readonly age?: (at: number) => number;
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
  const age = deps.age ?? ((at: number) => now() - at);
  const during: Queue["during"] = deps.during ?? ((_, work) => work());
  const log = deps.log.child({ output: instance.id });
  const slots = output.ordered ? 1 : Math.min(delivery.maxconcurrentrequests || unlimited, unlimited);
  const limits = delivery.batch ?? output.batchOf?.(instance.config) ?? output.batch;

  const health = watchHealth({ log, now });
  const listeners = [countOutcomes(deps.metrics), health, ...(deps.listeners ?? [])];
  const outcomes = openOutcomes(listeners, { log, failed: deps.metrics.listenerFailed });
  const http = openHttp(transport, proxy, { connections: slots, now });
  const sender = openSender(instance, { http, log, now, clock, hub, mask, omitted: deps.metrics.omitted });
  const flights = concurrency(slots);
  const fuse = breaker(delivery.breaker, deps.metrics.breaker);
  const rate = delivery.ratelimit ? [limit(delivery.ratelimit, clock.ticks())] : [];
  const postponed = postponements();
  const send = timed(delivery.timeoutMs, clock, sender.send);

  const parts = { output: instance.id, retry: delivery.retry, codec, outcomes, postponed, during, age, random };

  // Outside in: batch, limit, breaker, timeout, send.
  const batcher = openBatcher({
    limits,
    weigh: (alert) => Buffer.byteLength(rawEvent(alert)),
    joins: output.joins,
    gate: every([flights, ...rate, pace(), fuse]),
    attempt: told({ outcomes, output: instance.id, clock, log, mask, postponed: postponed.of }, send),
    during,
    clock,
    ...(output.ordered && { again: keepInHand(parts) }),
  });

  deps.metrics.breaker("closed");
  sender.warm();
  return {
    handle: openHandle(parts, batcher, fuse),
    parallel: Math.max(slots, Math.min(slots * (limits?.items ?? 2), mostItems)),
    state: () => ({
      ...health.health(),
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

/** The `destination` label: falcosidekick's spelling for an output's only instance, else the instance's id. */
export const destinationOf = ({ id, name, output }: OutputInstance): string =>
  name === undefined ? (output.label ?? id) : id;
