import { conditionFault } from "../fields/condition.ts";
import type { Fields } from "../sdk/fields.ts";
import type { Output } from "../sdk/output.ts";
import { type DeliveryFields, deliveryOf, fieldsOf, matchOf, ownConfig } from "./delivery-fields.ts";
import type { GlobalSettings } from "./hub.ts";
import { type RawInstance, readInstances } from "./instances.ts";
import { outputFaults } from "./output-faults.ts";
import type { ReadPem } from "./pem-reader.ts";
import type { Reader } from "./settings.ts";
import { transportOf } from "./transport.ts";
import type { Tree } from "./tree.ts";
import type { MatchSettings, OutputInstance } from "./types.ts";

/** What an instance became: `instance` is absent when it is not enabled, or off. */
export interface ReadOutput {
  readonly id: string;
  readonly fields: Fields;
  readonly instance?: OutputInstance;
}

export const outputInstances = (
  outputs: readonly Output[],
  found: ReadonlyMap<string, Tree>,
  globals: GlobalSettings,
  readPem: ReadPem,
  reader: Reader,
): ReadOutput[] =>
  outputs.flatMap((output) => {
    const raws = readInstances(output.name, fieldsOf(output), found, reader);
    return raws.map((raw) => readOutput(output, raw, globals, readPem, reader));
  });

/** One instance out of its parsed keys. */
export const readOutput = (
  output: Output,
  raw: RawInstance<DeliveryFields>,
  globals: GlobalSettings,
  readPem: ReadPem,
  reader: Reader,
): ReadOutput => {
  const fields = fieldsOf(output);
  const config = ownConfig(output, raw.values);
  const { id, name } = raw;
  if (!outputFaults(output, config, raw, reader)) return { id, fields };
  const instance: OutputInstance = {
    id,
    ...(name !== undefined && { name }),
    output,
    config,
    match: matchOfInstance(raw, reader),
    delivery: deliveryOf(output, raw.values),
    transport: transportOf(raw, globals, raw.label, readPem, reader),
  };
  return { id, fields, instance };
};

const matchOfInstance = (raw: RawInstance<DeliveryFields>, reader: Reader): MatchSettings => {
  const note = (severity: "error" | "warning", key: string, message: string): void =>
    reader.problems[severity === "error" ? "error" : "warn"](raw.label + key, message, raw.places.get(key));
  const match = matchOf(raw.values, raw.inList, note);
  const fault = match.condition === undefined ? undefined : conditionFault(match.condition);
  if (fault !== undefined) note("error", "match.condition", fault);
  return match;
};
