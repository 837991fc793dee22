import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import { createMetrics, type Metrics } from "../metrics/metrics.ts";

/** The metrics of a hub, as its configuration wants them; what is off is told there. */
export const openMetrics = (
  config: HubConfig,
  { log, now, version }: { readonly log: Logger; readonly now: () => number; readonly version: string },
): Metrics => {
  const metrics = createMetrics({
    labels: {
      customfields: Object.keys(config.customfields),
      templatedfields: Object.keys(config.templatedfields),
      extralabels: config.metrics.extralabels,
    },
    series: {
      maxSeries: config.metrics.maxseries,
      maxBytes: config.metrics.maxbytes,
      maxLabel: config.metrics.maxlabel,
    },
    seriesFull: () =>
      log.warn(
        "falco_events_total has all the series it may have (prometheus.maxseries, prometheus.maxbytes); others count as overflow",
      ),
    now,
    version,
  });
  for (const { key, off } of config.off) metrics.off(key, off?.output);
  for (const label of metrics.refusedLabels) log.warn({ label }, "this name cannot be a metric label and is left out");
  return metrics;
};
