import type { BreakerState } from "../deliver/breaker.ts";
import type { DeliveryMetrics } from "../deliver/count-outcomes.ts";
import type { Families } from "./families.ts";

/** What is sent, and what became of it. */
export interface OutputMetrics {
  /** The metrics of an output instance; `destination` is falcosidekick's label for its outputs_total. */
  delivery(output: string, destination: string): DeliveryMetrics;
  /** Events became dead letters without an attempt (`poison`, `corrupt`) in the lane of this output, or in another lane. */
  putAside(outputOrLane: string, reason: string, n: number): void;
  /** Events of dead letters that were dropped to make room. */
  lettersDropped(lane: string, n: number): void;
  /** Once at start: an output that was asked for and is off, or, without one, an option; the key says why. */
  off(key: string, output?: string): void;
}

const breakerValue: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/** `now`: milliseconds since the epoch. `read` is called at a scrape. */
export const createOutputMetrics = (
  { counter, gauge, histogram }: Families,
  now: () => number,
): OutputMetrics & { readonly read: () => void } => {
  const outputs = counter("falcosecurity_falcosidekick_outputs_total", "Alerts sent.", ["destination", "status"]);
  const attempts = counter("eyrie_delivery_attempts_total", "Delivery attempts.", ["output", "outcome"]);
  const latency = histogram(
    "eyrie_delivery_seconds",
    "Duration of one delivery attempt.",
    ["output"],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  );
  const retries = counter("eyrie_delivery_retries_total", "Alerts put back to be sent again.", ["output", "reason"]);
  const dead = counter("eyrie_dead_letters_total", "Alerts given up and kept as dead letters.", ["output", "reason"]);
  const omitted = counter(
    "eyrie_delivery_omitted_total",
    "Parts of alerts that destinations did not take and that were left out.",
    ["output"],
  );
  const deaf = counter(
    "eyrie_outcome_listener_failures_total",
    "Outcomes that a listener failed on; delivery goes on without it.",
    ["output", "listener"],
  );
  const breaker = gauge("eyrie_breaker_state", "0 closed, 1 half open, 2 open.", ["output"]);
  const success = gauge("eyrie_last_success_timestamp_seconds", "When the destination last took an alert.", ["output"]);
  const dropped = counter("eyrie_dead_letters_dropped_total", "Events of dead letters dropped to make room.", ["lane"]);
  const outputsOff = gauge("eyrie_output_disabled", "1: the output was configured and is off; the key is at fault.", [
    "output",
    "key",
  ]);
  const optionsOff = gauge("eyrie_option_disabled", "1: the value of the key is not used.", ["key"]);
  const lastSuccess = new Map<string, number>();
  return {
    delivery: (output, destination) => {
      const ok = outputs.cell(destination, "ok");
      const error = outputs.cell(destination, "error");
      const worked = attempts.cell(output, "ok");
      const seconds = latency.cell(output);
      breaker.set({ output }, breakerValue.closed);
      return {
        attempt: (outcome, took, taken, failed) => {
          seconds.observe(took);
          (outcome === "ok" ? worked : attempts.cell(output, outcome)).add(1);
          error.add(failed);
          if (taken === 0) return;
          ok.add(taken);
          lastSuccess.set(output, now() / 1000);
        },
        retried: (reason, alerts) => retries.cell(output, reason).add(alerts),
        dead: (reason, alerts) => dead.cell(output, reason).add(alerts),
        omitted: (parts) => omitted.cell(output).add(parts),
        breaker: (state) => breaker.set({ output }, breakerValue[state]),
        listenerFailed: (listener) => deaf.cell(output, listener).add(1),
      };
    },
    putAside: (where, reason, n) => dead.cell(where, reason).add(n),
    lettersDropped: (lane, n) => dropped.cell(lane).add(n),
    off: (key, output) => {
      if (output === undefined) optionsOff.set({ key }, 1);
      else outputsOff.set({ output, key }, 1);
    },
    read: () => {
      for (const [output, seconds] of lastSuccess) success.set({ output }, seconds);
    },
  };
};
