import type { DeliveryMetrics } from "../deliver/observe.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** The metrics of one output instance in the shape that delivery reports in. */
export const deliveryMetrics = (
  metrics: Metrics,
  output: string,
  destination: string,
  now: () => number,
): DeliveryMetrics => {
  const of = metrics.delivery(output, destination);
  return {
    attempt: (_, outcome, seconds, taken, failed) => {
      of.attempt(seconds, outcome);
      if (taken > 0) of.ok(taken, now());
      if (failed > 0) of.error(failed);
    },
    retried: (_, reason, alerts) => of.retried(alerts, reason),
    dead: (_, reason, alerts) => of.dead(alerts, reason),
    breaker: (_, state) => of.breaker(state),
    lastSuccess: () => {},
  };
};
