import type { YamlNode } from "./yaml.ts";

/** Falco's JSON schema of rules files, as far as it complains. Its complaints are shown and stop nothing. */
interface Shape {
  readonly type: "string" | "boolean" | "integer" | "array" | "object";
  readonly items?: Shape;
  /** One of several shapes; complaints name each. */
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly least?: number;
  readonly values?: readonly string[];
}

const text: Shape = { type: "string" };
const flag: Shape = { type: "boolean" };
const texts: Shape = { type: "array", items: text };
const priorities = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG"];
const both: Shape = { type: "string", values: ["append", "replace"] };
const overrides: Shape = {
  type: "object",
  least: 1,
  properties: {
    append: text,
    capture: both,
    capture_duration: both,
    condition: both,
    desc: both,
    enabled: both,
    exceptions: both,
    items: both,
    output: both,
    priority: both,
    "skip-if-unknown-filter": both,
    tags: both,
    warn_evttypes: both,
  },
};
const plugin: Shape = {
  type: "object",
  required: ["name", "version"],
  properties: {
    name: text,
    version: text,
    alternatives: {
      type: "array",
      items: { type: "object", required: ["name", "version"], properties: { name: text, version: text } },
    },
  },
};
const exception: Shape = { type: "object", required: ["name"] };

const item: Shape = {
  type: "object",
  properties: {
    append: flag,
    capture: flag,
    capture_duration: { type: "integer" },
    condition: text,
    desc: text,
    enabled: flag,
    exceptions: { type: "array", items: exception },
    items: { type: "array", items: { type: "string", anyOf: [{ type: "integer" }, text] } },
    list: text,
    macro: text,
    output: text,
    override: overrides,
    priority: { type: "string", values: priorities },
    required_engine_version: text,
    required_plugin_versions: { type: "array", items: plugin },
    rule: text,
    "skip-if-unknown-filter": flag,
    source: text,
    tags: texts,
    warn_evttypes: flag,
  },
};
const file: Shape = { type: "array", items: item };

/** Complaints about the first document that has any content; undefined: there is none. */
export const schemaWarnings = (documents: readonly YamlNode[]): readonly string[] | undefined => {
  const first = documents.find((document) => document.kind !== "null");
  return first === undefined ? undefined : complaints(first, file, "<root>");
};

const wrongType = "Value type not permitted by 'type' constraint.";

const complaints = (node: YamlNode, shape: Shape, path: string): readonly string[] => {
  const say = (message: string): string => `failed for ${path}: ${message}`;
  if (shape.anyOf !== undefined) {
    const found = shape.anyOf.map((option) => complaints(node, option, path));
    if (found.some((each) => each.length === 0)) return [];
    return [
      ...found.flatMap((each, i) => [...each, say(`Failed to validate against child schema #${i}.`)]),
      say("Failed to validate against any schemas allowed by anyOf constraint."),
    ];
  }
  if (!hasType(node, shape.type))
    return [say(wrongType), ...(shape.values === undefined ? [] : [say("Failed to match against any enum values.")])];
  if (shape.values !== undefined && node.kind === "scalar" && !shape.values.includes(node.text))
    return [say("Failed to match against any enum values.")];
  if (node.kind === "seq") return sequenceComplaints(node.items, shape, path, say);
  if (node.kind === "map") return mapComplaints(node, shape, path, say);
  return [];
};

type Say = (message: string) => string;

const sequenceComplaints = (items: readonly YamlNode[], shape: Shape, path: string, say: Say): readonly string[] => {
  const of = shape.items;
  if (of === undefined) return [];
  return items.flatMap((each, i) => {
    const found = complaints(each, of, `${path}[${i}]`);
    return found.length === 0 ? [] : [...found, say(`Failed to validate item #${i} in array.`)];
  });
};

const mapComplaints = (
  node: Extract<YamlNode, { kind: "map" }>,
  shape: Shape,
  path: string,
  say: Say,
): readonly string[] => {
  const found: string[] = [];
  const entries = new Map(
    node.entries.toReversed().flatMap(({ key, value }) => (key.kind === "scalar" ? [[key.text, value]] : [])) as [
      string,
      YamlNode,
    ][],
  );
  if (shape.least !== undefined && entries.size < shape.least)
    found.push(say(`Object should have no fewer than ${shape.least} properties.`));
  const { properties } = shape;
  if (properties !== undefined)
    for (const [key, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const of = properties[key];
      if (of === undefined || !Object.hasOwn(properties, key)) {
        found.push(
          say(
            `Object contains a property that could not be validated using 'properties' or 'additionalProperties' constraints: '${key}'.`,
          ),
        );
        continue;
      }
      const inner = complaints(value, of, `${path}[${key}]`);
      if (inner.length > 0)
        found.push(...inner, say(`Failed to validate against schema associated with property name '${key}'.`));
    }
  for (const key of shape.required ?? []) if (!entries.has(key)) found.push(say(`Missing required property '${key}'.`));
  return found;
};

/** Plain scalars that read as numbers or booleans are still text to a shape that asks for text. */
const hasType = (node: YamlNode, type: Shape["type"]): boolean => {
  switch (type) {
    case "array":
      return node.kind === "seq";
    case "object":
      return node.kind === "map";
    case "boolean":
      return node.kind === "scalar" && /^(?:true|false)$/i.test(node.text);
    case "integer":
      return node.kind === "scalar" && /^-?\d+$/.test(node.text);
    case "string":
      return node.kind === "scalar";
  }
};
