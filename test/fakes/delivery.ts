import { pino } from "pino";
import type { DeliverySettings, OutputInstance } from "../../src/config/types.ts";
import { createAges } from "../../src/deliver/age.ts";
import { type Delivery, openDelivery } from "../../src/deliver/chain.ts";
import type { DeliveryMetrics } from "../../src/deliver/count-outcomes.ts";
import type { OutcomeListener } from "../../src/deliver/outcomes.ts";
import type { Codec } from "../../src/queue/codec.ts";
import type { Item, Settlement } from "../../src/queue/queue.ts";
import type { Alert } from "../../src/sdk/alert.ts";
import { defineHttpOutput, type Output, type TlsMaterial } from "../../src/sdk/output.ts";
import { type FakeClock, fakeClock } from "./clock.ts";

export const makeAlert = (uuid: string, more: Partial<Alert> = {}): Alert => ({
  uuid,
  time: "2026-11-21T12:00:00Z",
  rule: "Rule",
  priority: "Notice",
  source: "syscall",
  output: "something happened",
  tags: [],
  output_fields: {},
  added: [],
  ...more,
});

export const codec: Codec<readonly Alert[]> = {
  encode: (alerts) => alerts.map((alert) => JSON.stringify(alert)).join("\n"),
  decode: (body) => body.split("\n").map((line) => JSON.parse(line)),
};
/** The uuids in a chunk's body. */
export const idsOf = (body: string): string[] => codec.decode(body).map((alert) => alert.uuid);

const common = {
  name: "hook",
  category: "web",
  about: "A hook.",
  fields: {},
  example: {},
  enabled: () => true,
} as const;

/** Posts the uuids as a JSON array. */
export const hookOutput = (url: string, more: Partial<Parameters<typeof defineHttpOutput>[0]> = {}): Output =>
  defineHttpOutput({
    ...common,
    request: (alerts) => ({ url, body: JSON.stringify(alerts.map((alert) => alert.uuid)) }),
    ...more,
  });

export const clientOutput = (open: Extract<Output, { open: unknown }>["open"]): Output => ({ ...common, open });

export const settings: DeliverySettings = {
  maxconcurrentrequests: 1,
  timeoutMs: 10_000,
  retry: { initialMs: 1000, maxMs: 30_000 },
  breaker: { failures: 1000, openMs: 30_000 },
};

export const instanceOf = (
  output: Output,
  delivery: Partial<DeliverySettings> = {},
  tls: TlsMaterial = { rejectUnauthorized: true },
): OutputInstance => ({
  id: output.name,
  output,
  config: {},
  match: {},
  delivery: { ...settings, ...delivery },
  transport: { ...tls, checkcert: tls.rejectUnauthorized, mutualtls: false },
});

export interface Rig {
  readonly delivery: Delivery;
  readonly clock: FakeClock;
  /** Log lines, and metrics as text: `dead client_error 3`. */
  readonly lines: string[];
  readonly counted: string[];
  /** Wall clock, milliseconds since the epoch; set alone it jumps. */
  now: number;
  /** Time passes, on both clocks. */
  pass(ms: number): Promise<void>;
  item(alerts: readonly Alert[], more?: Partial<Item>): Item;
  /** The item as the lane hands it out again. */
  again(item: Item, settlement: Settlement): Item;
}

/** A delivery on a fake clock; the network is real. */
export const openRig = async (
  instance: OutputInstance,
  random: () => number = () => 1,
  mask?: (text: string) => string,
  listeners: readonly OutcomeListener[] = [],
): Promise<Rig> => {
  const clock = fakeClock();
  const lines: string[] = [];
  const counted: string[] = [];
  const metrics: DeliveryMetrics = {
    attempt: (outcome, _seconds, taken, failed) => counted.push(`attempt ${outcome} ${taken} ${failed}`),
    retried: (reason, alerts) => counted.push(`retried ${reason} ${alerts}`),
    dead: (reason, alerts) => counted.push(`dead ${reason} ${alerts}`),
    omitted: (parts) => counted.push(`omitted ${parts}`),
    breaker: (state) => counted.push(`breaker ${state}`),
    listenerFailed: (listener) => counted.push(`failed ${listener}`),
  };
  let serial = 0;
  const rig = {
    clock,
    lines,
    counted,
    now: Date.UTC(2026, 10, 21),
    pass: async (ms: number): Promise<void> => {
      rig.now += ms;
      await clock.pass(ms);
    },
    item: (alerts: readonly Alert[], more: Partial<Item> = {}): Item => {
      serial += 1;
      const body = codec.encode(alerts);
      return { lane: "out:hook", id: `item-${serial}`, body, count: alerts.length, at: rig.now, attempt: 0, ...more };
    },
    again: ({ decoded: _, ...item }: Item, { retry }: Settlement): Item => {
      if (!retry) throw new Error("the item is not to be retried");
      return { ...item, body: retry.body, count: retry.count, attempt: item.attempt + 1 };
    },
  };
  const delivery = await openDelivery(instance, {
    log: pino({ level: "trace" }, { write: (line) => lines.push(line) }),
    metrics,
    now: () => rig.now,
    age: createAges(() => rig.now, clock.ticks).of,
    random,
    codec,
    hub: { outputs: [], customfields: {}, templatedfields: {} },
    clock,
    listeners,
    ...(mask && { mask }),
  });
  return Object.assign(rig, { delivery });
};
