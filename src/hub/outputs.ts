import type { Logger } from "pino";
import { secretsOf } from "../config/redact.ts";
import type { HubConfig, OutputInstance } from "../config/types.ts";
import { type Delivery, destinationOf, openDelivery } from "../deliver/chain.ts";
import { createTextMask } from "../log/mask.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { alertLines } from "../pipeline/codec.ts";
import { outputLane } from "../pipeline/lanes.ts";
import type { Consumer, Queue } from "../queue/queue.ts";
import type { HubFacts } from "../sdk/output.ts";

export interface OpenOutput {
  readonly id: string;
  readonly delivery: Delivery;
  readonly consumer: Consumer;
}

const displayOf = ({ output }: OutputInstance): string => output.display ?? output.name;

export const hubFacts = (config: HubConfig): HubFacts => ({
  outputs: [...new Set(config.outputs.map(displayOf))],
  customfields: config.customfields,
  templatedfields: config.templatedfields,
});

/** Opens every output and lets it consume its lane. */
export const openOutputs = async (
  config: HubConfig,
  parts: {
    readonly queue: Queue;
    readonly metrics: Metrics;
    readonly log: Logger;
    readonly now: () => number;
    readonly age: (at: number) => number;
    readonly random: () => number;
  },
): Promise<readonly OpenOutput[]> => {
  const { queue, metrics, log, now, age, random } = parts;
  const hub = hubFacts(config);
  const mask = createTextMask(secretsOf(config));
  return Promise.all(
    config.outputs.map(async (instance) => {
      const delivery = await openDelivery(instance, {
        log,
        metrics: metrics.delivery(instance.id, destinationOf(instance)),
        now,
        age,
        random,
        codec: alertLines,
        hub,
        proxy: config.proxy,
        mask,
        during: queue.during,
      });
      const consumer = queue.consume(outputLane(instance.id), delivery.handle, delivery.parallel);
      return { id: instance.id, delivery, consumer };
    }),
  );
};
