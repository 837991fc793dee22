import { type Fields, fieldMeta } from "../sdk/fields.ts";
import type { Output } from "../sdk/output.ts";
import { fieldsOf } from "./delivery-fields.ts";
import type { RawInstance } from "./instances.ts";
import type { Place } from "./problem.ts";
import type { Fault, Reader } from "./settings.ts";
import { told } from "./told.ts";

type Values = Readonly<Record<string, unknown>>;

/**
 * Whether an instance is enabled and fit to send; says what is wrong. A fault of an address, a secret or the output's own
 * checks turns the output off, as falcosidekick does or would have to; one of any other key means the key's default; one of
 * `match` stops the start, for alerts would go where they should not.
 */
export const outputFaults = (output: Output, config: Values, raw: RawInstance, reader: Reader): boolean => {
  const { problems } = reader;
  const fields: Fields = fieldsOf(output);
  let fit = true;
  const off = (key: string, message: string, at?: Place): void => {
    fit = false;
    problems.off(raw.id, key, `${message}; the output ${raw.id} is off`, at);
  };
  const leave = ({ key, message, at }: Fault): void =>
    problems.off(undefined, raw.label + key, `${message}; its default is used`, at);

  if (!output.enabled(config)) {
    const enabling = raw.faults.filter(({ key }) => key in output.example && enabledBy(output, config, key));
    for (const { key, message, at } of enabling) off(raw.label + key, message, at);
    if (enabling.length > 0) return false;
    if (raw.inList) off(raw.label.slice(0, -1), missing(output, config), raw.at);
    // Nobody asked for the output: a variable of its name may be another program's.
    else for (const fault of raw.faults) if (fault.at?.env === undefined) leave(fault);
    return false;
  }
  for (const fault of raw.faults) {
    const { key, message, at } = fault;
    const { secret, schemes } = fields[key] ? fieldMeta(fields[key]) : {};
    if (key.startsWith("match.")) problems.error(raw.label + key, message, at);
    else if (secret || schemes) off(raw.label + key, message, at);
    else leave(fault);
  }
  for (const key of badUrls(output, config))
    off(raw.label + key, "is not a URL that starts with http:// or https://", raw.places.get(key));
  for (const [key, schema] of Object.entries(fields))
    if (fieldMeta(schema).schemes && config[key] === "" && schema.safeParse(undefined).data !== "")
      off(raw.label + key, "is empty, which is no URL", raw.places.get(key));
  for (const text of output.check?.(config) ?? []) off(...told(text, raw, fields));
  for (const text of output.warn?.(config) ?? []) problems.warn(...told(text, raw, fields));
  return fit;
};

const enabledBy = (output: Output, config: Values, key: string): boolean =>
  output.enabled({ ...config, [key]: output.example[key] });

/** The keys that the example sets and the instance does not. */
const missing = (output: Output, config: Values): string => {
  const keys = Object.keys(output.example).filter((key) => config[key] === "" || config[key] === undefined);
  return `is not complete${keys.length > 0 ? `, these keys are not set: ${keys.join(", ")}` : ""}`;
};

const isHttp = (text: unknown): boolean =>
  typeof text === "string" && /^https?:\/\//.test(text) && (URL.parse(text)?.hostname ?? "") !== "";
const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Keys whose example is an HTTP URL and whose value, where there is one, is not. */
const badUrls = (output: Output, config: Values): string[] =>
  Object.entries(output.example)
    .filter(([, example]) => listed(example).every(isHttp))
    .map(([key]) => key)
    .filter((key) => listed(config[key]).some((text) => typeof text === "string" && text !== "" && !isHttp(text)));
