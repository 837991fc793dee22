import { outputs } from "../../outputs/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { fieldMeta } from "../../src/sdk/fields.ts";
import type { Output } from "../../src/sdk/output.ts";

/** What the loader makes of a file that holds these keys of one output. */
export const loaded = (output: Output, values: Readonly<Record<string, unknown>>) =>
  loadConfig({
    file: "eyrie.yaml",
    read: () => JSON.stringify(nested(output.name, values)),
    env: {},
    outputs,
    sources: [],
  });

/** `{ "aws.sqs": { "batching.enabled": true } }` as YAML writes it. */
export const nested = (name: string, values: Readonly<Record<string, unknown>>): object => {
  const tree: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const path = `${name}.${key}`.split(".");
    let at = tree;
    for (const step of path.slice(0, -1)) {
      at[step] ??= {};
      at = at[step] as Record<string, unknown>;
    }
    at[path.at(-1) as string] = value;
  }
  return Object.keys(values).length > 0 ? tree : { [name]: {} };
};

/** A text for the environment that is not the default, and what it is read as. */
export const sampleFor = (
  field: Parameters<typeof fieldMeta>[0],
  byDefault: unknown,
  key: string,
): [string, unknown] => {
  const meta = fieldMeta(field);
  if (meta.pairs) return ["one:1,two:b:c", { one: "1", two: "b:c" }];
  if (meta.list) return meta.schemes ? ["http://a:1,http://b:2", ["http://a:1", "http://b:2"]] : ["a, b", ["a", "b"]];
  if (meta.schemes) return [`${meta.schemes[0]}://127.0.0.1:9/x`, `${meta.schemes[0]}://127.0.0.1:9/x`];
  if (typeof byDefault === "boolean") return [String(!byDefault), !byDefault];
  if (key.endsWith("flushinterval")) return ["2s", 2000];
  if (typeof byDefault === "number") return [String(byDefault + 1), byDefault + 1];
  const choices = (field.def as { innerType?: { options?: readonly string[] } }).innerType?.options;
  const other = choices?.find((option) => option !== byDefault) ?? "from-env";
  return [other, other];
};
