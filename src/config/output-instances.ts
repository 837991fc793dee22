import { conditionFault } from "../fields/condition.ts";
import type { Fields } from "../sdk/fields.ts";
import type { Output } from "../sdk/output.ts";
import { deliveryOf, fieldsOf, matchOf, ownConfig } from "./delivery-fields.ts";
import { type RawInstance, readInstances } from "./instances.ts";
import type { Reader, Settings } from "./settings.ts";
import { type pemReader, transportOf } from "./transport.ts";
import type { Tree } from "./tree.ts";
import type { OutputInstance } from "./types.ts";

/** What an instance became: `instance` is absent when it is not enabled. */
export interface ReadOutput {
  readonly id: string;
  readonly fields: Fields;
  readonly instance?: OutputInstance;
}

export const outputInstances = (
  outputs: readonly Output[],
  found: ReadonlyMap<string, Tree>,
  globals: Settings,
  readPem: ReturnType<typeof pemReader>,
  reader: Reader,
): ReadOutput[] =>
  outputs.flatMap((output) => {
    const raws = readInstances(output.name, fieldsOf(output), found, reader);
    return raws.map((raw) => readOutput(output, raw, globals, readPem, reader));
  });

/** One instance out of its parsed keys. */
export const readOutput = (
  output: Output,
  raw: RawInstance,
  globals: Settings,
  readPem: ReturnType<typeof pemReader>,
  reader: Reader,
): ReadOutput => {
  const fields = fieldsOf(output);
  const config = ownConfig(output, raw.values);
  if (!output.enabled(config)) {
    if (raw.inList) reader.problems.error(raw.label.slice(0, -1), missing(output, config), raw.at);
    return { id: raw.id, fields };
  }
  checkUrls(output, config, raw, reader);
  for (const fault of output.check?.(config) ?? []) tell("error", fault, fields, raw, reader);
  for (const fault of output.warn?.(config) ?? []) tell("warn", fault, fields, raw, reader);
  const note = (severity: "error" | "warning", key: string, message: string): void =>
    severity === "error"
      ? reader.problems.error(raw.label + key, message, raw.places.get(key))
      : reader.problems.warn(raw.label + key, message, raw.places.get(key));
  const match = matchOf(raw.values, raw.inList, note);
  const fault = match.condition === undefined ? undefined : conditionFault(match.condition);
  if (fault !== undefined) note("error", "match.condition", fault);
  const instance: OutputInstance = {
    id: raw.id,
    ...(raw.name !== undefined && { name: raw.name }),
    output,
    config,
    match,
    delivery: deliveryOf(output, raw.values),
    transport: transportOf(raw, globals, raw.label, readPem, reader),
  };
  return { id: raw.id, fields, instance };
};

const placeOf = (raw: RawInstance) => raw.at ?? raw.places.values().next().value;

/** The keys that the example sets and the instance does not. */
const missing = (output: Output, config: Readonly<Record<string, unknown>>): string => {
  const keys = Object.keys(output.example).filter((key) => config[key] === "" || config[key] === undefined);
  return `is not complete${keys.length > 0 ? `, these keys are not set: ${keys.join(", ")}` : ""}`;
};

/** `check` and `warn` name their key first; its place is the finding's. */
const tell = (severity: "error" | "warn", fault: string, fields: Fields, raw: RawInstance, reader: Reader): void => {
  const key = /^`?([a-z0-9.]+)`?/.exec(fault)?.[1] ?? "";
  const known = key in fields;
  const message = known ? fault.slice(fault.indexOf(key) + key.length).replace(/^`?:?\s*/, "") : fault;
  reader.problems[severity](
    known ? raw.label + key : raw.label.slice(0, -1),
    message,
    raw.places.get(key) ?? placeOf(raw),
  );
};

const isHttp = (text: unknown): boolean =>
  typeof text === "string" && /^https?:\/\//.test(text) && (URL.parse(text)?.hostname ?? "") !== "";
const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** An address whose example is an HTTP URL must be one: falcosidekick disables the output, here the start stops. */
const checkUrls = (
  output: Output,
  config: Readonly<Record<string, unknown>>,
  raw: RawInstance,
  reader: Reader,
): void => {
  for (const [key, example] of Object.entries(output.example)) {
    if (!listed(example).every(isHttp)) continue;
    for (const text of listed(config[key]))
      if (typeof text === "string" && text !== "" && !isHttp(text))
        reader.problems.error(
          raw.label + key,
          "is not a URL that starts with http:// or https://",
          raw.places.get(key),
        );
  }
};
