import { Gauge, type Registry } from "prom-client";
import { type CounterFamily, createCounter } from "./counter.ts";
import { createHistogram, type HistogramFamily } from "./histogram.ts";

/** Makes metrics of one registry, each named once. */
export interface Families {
  counter(name: string, help: string, labels?: readonly string[]): CounterFamily;
  gauge<const L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** `bounds`: upper ends of the buckets, ascending. */
  histogram(name: string, help: string, labels: readonly string[], bounds: readonly number[]): HistogramFamily;
}

export const familiesOf = (registry: Registry): Families => ({
  counter: (name, help, labels = []) => createCounter(registry, name, help, labels),
  gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: labels, registers: [registry] }),
  histogram: (name, help, labels, bounds) => createHistogram(registry, name, help, labels, bounds),
});
