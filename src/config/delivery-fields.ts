import { z } from "zod";
import { parsePriority } from "../sdk/alert.ts";
import { type Config, configOf, duration, flag, int, list, maybeDuration, maybeInt, text } from "../sdk/fields.ts";
import type { Output } from "../sdk/output.ts";
import type { DeliverySettings, MatchSettings } from "./types.ts";

const perSecond: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const ratePattern = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/;

/** `10`, `10/s`, `600/m`, `5000/h` as alerts a second. */
const parseRate = (value: string): number => {
  const [, n = "", unit = "s"] = ratePattern.exec(value) ?? [];
  return Number(n) / (perSecond[unit] ?? 1);
};

const rate = (about: string) =>
  z
    .string()
    .refine((v) => ratePattern.test(v) && parseRate(v) > 0, "is not a rate such as 10/s, 300/m or 5000/h")
    .transform(parseRate)
    .optional()
    .describe(about);

/** Attempts in flight where neither the configuration nor the output says. */
const usualConcurrency = 16;

/** Keys that every output has beside its own; one that an output declares itself is the output's. */
export const deliveryFields = {
  minimumpriority: text("Least severe priority that is sent; empty: all."),
  maxconcurrentrequests: maybeInt(
    "Requests in flight at most; 0: no limit.",
    `the output's own, most often ${usualConcurrency}`,
    0,
    65535,
  ),
  checkcert: flag("Verify the server's certificate.", true),
  mutualtls: flag("Show a client certificate."),
  certfile: text("Client certificate of this output, in place of the global one."),
  keyfile: text("Its key."),
  cacertfile: text("CA trusted by this output in addition to the others."),
  "match.minimumpriority": text("As minimumpriority, checked strictly."),
  "match.tags": list("Send alerts that bear one of these tags."),
  "match.rules": list("Send alerts of these rules; `*` and `?` stand for any text and any character."),
  "match.condition": text("Send alerts for which this condition holds, in the rules' language."),
  "ratelimit.persecond": rate("Alerts a second (`10/s`), a minute (`300/m`) or an hour; the others wait."),
  "ratelimit.burst": maybeInt("Alerts that may go at once.", "one second's worth, at least 1", 1),
  timeout: duration("Time for one attempt.", "30s"),
  "retry.initial": duration("Wait before the second attempt; it doubles from one to the next.", "1s"),
  "retry.max": duration("Longest wait between attempts.", "30s"),
  "retry.maxattempts": maybeInt("Attempts after which an alert becomes a dead letter.", "no limit", 1),
  "retry.maxage": maybeDuration(
    "Age at which an alert that cannot be delivered becomes a dead letter; no jump of the wall clock adds to it but across a restart.",
    "no limit",
  ),
  "batch.items": maybeInt("Alerts in one request at most.", "the output's own", 1),
  "batch.bytes": maybeInt("Bytes in one request at most.", "the output's own", 1),
  "breaker.failures": int("Failed attempts in a row after which the output rests.", 5, 1),
  "breaker.open": duration("How long it rests before one attempt tries again.", "5s"),
};

export type DeliveryFields = typeof deliveryFields;
/** What the engine reads of an output's keys: durations in milliseconds, a rate in alerts a second. */
export type DeliveryValues = Config<DeliveryFields>;

/** A value where a map is expected stands for one key of the map. */
export const shorthand: Readonly<Record<string, string>> = {
  match: "match.condition",
  ratelimit: "ratelimit.persecond",
  batch: "batch.items",
};

/** All keys of one output. One that an output declares itself is the output's: of the same type, for delivery reads it, too. */
export const fieldsOf = (output: Output): DeliveryFields => ({ ...deliveryFields, ...output.fields });

/** Keys that only the engine reads: left out of what the output is opened with, unless it declares them. */
export const ownConfig = (
  output: Output,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> => configOf(output.fields, (key) => values[key]);

export const deliveryOf = (output: Output, values: DeliveryValues): DeliverySettings => {
  const max = values.maxconcurrentrequests ?? output.concurrency ?? usualConcurrency;
  const perSecond = values["ratelimit.persecond"];
  const maxAttempts = values["retry.maxattempts"];
  const maxAgeMs = values["retry.maxage"];
  const own = output.batchOf?.(ownConfig(output, values)) ?? output.batch;
  const items = values["batch.items"] ?? own?.items;
  const bytes = values["batch.bytes"] ?? own?.bytes;
  const initialMs = values["retry.initial"];
  return {
    maxconcurrentrequests: max === 0 ? Number.POSITIVE_INFINITY : max,
    timeoutMs: values.timeout,
    ...(perSecond !== undefined && {
      ratelimit: { perSecond, burst: values["ratelimit.burst"] ?? Math.max(1, Math.ceil(perSecond)) },
    }),
    retry: {
      initialMs,
      maxMs: Math.max(initialMs, values["retry.max"]),
      ...(maxAttempts !== undefined && { maxAttempts }),
      ...(maxAgeMs !== undefined && { maxAgeMs }),
    },
    ...((values["batch.items"] !== undefined || values["batch.bytes"] !== undefined) && {
      batch: { items: items ?? 1, ...(bytes !== undefined && { bytes }) },
    }),
    breaker: { failures: values["breaker.failures"], openMs: values["breaker.open"] },
  };
};

/**
 * `minimumpriority` as falcosidekick takes it: only the eight names, in any case, have effect. `match.minimumpriority`,
 * and the key within a list of instances (`strict`), must be a priority (`info` included).
 */
export const matchOf = (
  values: DeliveryValues,
  strict: boolean,
  note: (severity: "error" | "warning", key: string, message: string) => void,
): MatchSettings => {
  const plainName = values.minimumpriority;
  const named = plainName === "" ? undefined : parsePriority(plainName);
  const effective = strict || plainName.toLowerCase() !== "info" ? named : undefined;
  if (plainName !== "" && effective === undefined) {
    if (strict) note("error", "minimumpriority", "is not a priority");
    else note("warning", "minimumpriority", `"${plainName}" has no effect: every alert is sent, as falcosidekick does`);
  }
  const matchName = values["match.minimumpriority"];
  const matched = matchName === "" ? undefined : parsePriority(matchName);
  if (matchName !== "" && matched === undefined) note("error", "match.minimumpriority", "is not a priority");
  const minimumpriority = matched ?? effective;
  const tags = values["match.tags"];
  const rules = values["match.rules"];
  const condition = values["match.condition"].trim();
  return {
    ...(minimumpriority !== undefined && { minimumpriority }),
    ...(tags.length > 0 && { tags }),
    ...(rules.length > 0 && { rules }),
    ...(condition !== "" && { condition }),
  };
};
