import type { Metric, Registry } from "prom-client";

/** A histogram's child: an observation is two additions, everything else happens at the scrape. */
export interface HistogramCell {
  observe(value: number): void;
}

/** A histogram family whose children are bound once. */
export interface HistogramFamily {
  /** The child of these label values, in the order of the family's labels; shown from now on. */
  cell(...values: readonly string[]): HistogramCell;
}

interface Child extends HistogramCell {
  readonly labels: Readonly<Record<string, string>>;
  /** Observations per bucket, the last one for what is above all bounds. */
  readonly counts: number[];
  sum: number;
}

/**
 * `bounds`: upper ends of the buckets, ascending. prom-client's own histogram checks and hashes labels at every call
 * (bench/README.md, `sqlite-1`: histograms as additions).
 */
export const createHistogram = (
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  bounds: readonly number[],
): HistogramFamily => {
  const children = new Map<string, Child>();
  const get = async () => ({
    name,
    help,
    type: "histogram",
    aggregator: "sum",
    values: [...children.values()].flatMap(samples),
  });

  const samples = ({ labels, counts, sum }: Child) => {
    let total = 0;
    const buckets = counts.map((count, i) => {
      total += count;
      return { metricName: `${name}_bucket`, labels: { le: bounds[i] ?? "+Inf", ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: total },
    ];
  };

  registry.registerMetric({ name, get } as unknown as Metric);
  return {
    cell: (...values) => {
      const key = values.join("\u0000");
      const known = children.get(key);
      if (known) return known;
      const child: Child = {
        labels: Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? ""])),
        counts: new Array(bounds.length + 1).fill(0),
        sum: 0,
        observe: (value) => {
          let i = 0;
          while (i < bounds.length && value > (bounds[i] as number)) i++;
          child.counts[i] = (child.counts[i] as number) + 1;
          child.sum += value;
        },
      };
      children.set(key, child);
      return child;
    },
  };
};
