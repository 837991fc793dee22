import { z } from "zod";
import { kindOf } from "../../src/config/coerce.ts";
import { deliveryFields, fieldsOf, shorthand } from "../../src/config/delivery-fields.ts";
import { falcoBlocks, falcoFields, falcoUnread } from "../../src/config/falco-keys.ts";
import { falcoKeysOf } from "../../src/config/falco-sources.ts";
import { falcosidekickBlocks } from "../../src/config/falcosidekick-keys.ts";
import { globalFields } from "../../src/config/globals.ts";
import { sharedKey } from "../../src/config/instances.ts";
import { type Fields, fieldMeta } from "../../src/sdk/fields.ts";
import type { Output } from "../../src/sdk/output.ts";
import type { Source } from "../../src/sdk/source.ts";
import { type Nested, nest } from "./nest.ts";
import { banner } from "./registry.ts";

type Json = { readonly [key: string]: unknown };

/** One field as editors should check it: numbers where text is wanted and comma lists are fine in YAML. */
const fieldSchema = (schema: z.ZodType): Json => {
  const { $schema: _, propertyNames: __, maximum, ...json } = z.toJSONSchema(schema, { io: "input" }) as Json;
  const bounded = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? json : { ...json, maximum };
  const kind = kindOf(schema);
  const { type: __type, items, ...rest } = bounded;
  if (kind === "text" && !("enum" in json)) return { ...bounded, type: ["string", "number"] };
  if (kind === "list") return { ...rest, anyOf: [{ type: "array", items }, { type: "string" }] };
  if (kind === "pairs") return { ...bounded, additionalProperties: { type: ["string", "number"] } };
  return bounded;
};

const withFiles = (fields: Fields): (readonly [string, Json])[] =>
  Object.entries(fields).flatMap(([key, schema]): (readonly [string, Json])[] => {
    const own = [key, fieldSchema(schema)] as const;
    if (!fieldMeta(schema).secret) return [own];
    return [own, [`${key}_file`, { type: "string", description: `File that holds ${key}.` }]];
  });

const objectOf = (node: Nested<Json>, path = ""): Json => ({
  type: "object",
  properties: Object.fromEntries([...node.children].map(([key, child]) => [key, nodeSchema(child, path + key)])),
  additionalProperties: false,
});

const nodeSchema = (node: Nested<Json>, path: string): Json => {
  if (node.children.size === 0) return node.leaf ?? {};
  const object = objectOf(node, `${path}.`);
  if (node.leaf) return mergeObject(node.leaf, object);
  return path in shorthand ? { anyOf: [object, { type: ["string", "number"] }] } : object;
};

/** A key that is an output and holds others too: no such key today but the parents' own (`aws`). */
const mergeObject = (leaf: Json, object: Json): Json => ({ ...object, ...leaf });

/** Keys that every output has, written once and referred to. */
const everywhere = objectOf(nest(withFiles(deliveryFields))).properties as Json;
const same = new Map(Object.entries(everywhere).map(([key, value]) => [key, JSON.stringify(value)]));
const referring = (properties: Json): Json =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      same.get(key) === JSON.stringify(value) ? { $ref: `#/$defs/${key}` } : value,
    ]),
  );

const mapOrList = (fields: Fields, about: string): Json => {
  const all = objectOf(nest(withFiles(fields)));
  const map = { ...all, properties: referring(all.properties as Json) };
  const name = { type: "string", description: "Name of this instance, part of its lane and of its variables." };
  const nameKey = "name" in fields ? "instance" : "name";
  const item = { ...map, properties: { [nameKey]: name, ...map.properties } };
  return { description: about, anyOf: [map, { type: "array", items: item }] };
};

const mapList = (properties: Json, description: string): Json => ({
  description,
  type: "array",
  items: { type: "object", properties },
});
const string = { type: "string" };
const selection = { type: "object", properties: { rule: string, tag: string }, additionalProperties: false };

const lists: readonly (readonly [string, Json])[] = [
  [
    "plugins",
    mapList({ name: string, library_path: string, init_config: {}, open_params: {} }, "Plugins, as in falco.yaml."),
  ],
  [
    "append_output",
    mapList(
      { match: { type: "object" }, extra_output: string, extra_fields: {}, suggested_output: { type: "boolean" } },
      "Text and fields added to the alerts of rules, as in falco.yaml.",
    ),
  ],
  [
    "rules",
    mapList({ enable: selection, disable: selection }, "Rules switched on and off, in order, as in falco.yaml."),
  ],
];

/** The JSON Schema of the configuration file. */
export const schemaText = (outputs: readonly Output[], sources: readonly Source[]): string => {
  const built = new Set(outputs.map((o) => o.name));
  const shared = outputs.flatMap((o) =>
    Object.entries(o.fields).flatMap(([key, schema]): (readonly [string, Json])[] => {
      const path = sharedKey(o.name, key);
      return path ? [[path, fieldSchema(schema)]] : [];
    }),
  );
  const known = nest<Json>([...withFiles(globalFields), ...shared]);
  const missing = falcosidekickBlocks.filter(
    (block) => !built.has(block) && !known.children.has(block.split(".")[0] ?? ""),
  );
  const root = objectOf(
    nest<Json>([
      ...withFiles(globalFields),
      ...shared,
      ...outputs.map((o) => [o.name, mapOrList(fieldsOf(o), o.about)] as const),
      ...sources.map((s) => [s.name, mapOrList(s.fields, s.about)] as const),
      ...withFiles({ ...falcoFields, ...falcoBlocks, ...falcoKeysOf(sources) }),
      ...lists,
      ...missing.map((b) => [b, { description: "Output of falcosidekick, not available yet." }] as const),
      ...[...falcoUnread].map(
        ([k, { why }]) => [k, { description: `Of falco.yaml, without effect here: ${why}.` }] as const,
      ),
    ]),
  );
  const text = {
    $comment: banner,
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Eyrie",
    ...root,
    $defs: everywhere,
  };
  return `${JSON.stringify(text, undefined, 2)}\n`;
};
