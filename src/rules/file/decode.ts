import { type Context, within } from "./context.ts";
import { RulesError } from "./problem.ts";
import { entryOf, type YamlNode } from "./yaml.ts";

/** Reads values out of YAML items; each failure stops the item with Falco's words and place. */

const refuse = (message: string, context: Context): never => {
  throw new RulesError("LOAD_ERR_YAML_VALIDATE", message, context);
};

export const refuseIf = (bad: boolean, message: string, context: Context): void => {
  if (bad) refuse(message, context);
};

/** A mandatory value; what `decode` cannot take (undefined) is an error. */
export const decodeValue = <T>(
  item: YamlNode,
  key: string,
  context: Context,
  decode: (text: string) => T | undefined,
): T => {
  const node = entryOf(item, key);
  if (node === undefined) return refuse(`Item has no mapping for key '${key}'`, context);
  if (node.kind === "null") return refuse(`Mapping for key '${key}' is empty`, context);
  const here = within(context, "value for", key, node.at);
  if (node.kind !== "scalar") return refuse("Value is not a scalar value", here);
  if (node.text === "") return refuse("Value must be non-empty", here);
  return decode(node.text) ?? refuse("Can't decode YAML scalar value", here);
};

const same = (text: string): string => text;
export const decodeText = (item: YamlNode, key: string, context: Context): string =>
  decodeValue(item, key, context, same);

export const decodeFlag = (item: YamlNode, key: string, context: Context): boolean =>
  decodeValue(item, key, context, flagOf);

export const decodeCount = (item: YamlNode, key: string, context: Context): number =>
  decodeValue(item, key, context, countOf);

const optional =
  <T>(decode: (item: YamlNode, key: string, context: Context) => T) =>
  (item: YamlNode, key: string, context: Context): T | undefined =>
    entryOf(item, key) === undefined ? undefined : decode(item, key, context);

export const optionalText = optional(decodeText);
export const optionalFlag = optional(decodeFlag);
export const optionalCount = optional(decodeCount);

const flags = new Map<string, boolean>(
  (
    [
      ["y", "n"],
      ["yes", "no"],
      ["true", "false"],
      ["on", "off"],
    ] as const
  ).flatMap(([yes, no]) => [...spellings(yes, true), ...spellings(no, false)]),
);

function spellings(word: string, value: boolean): [string, boolean][] {
  return [word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)].map((w) => [w, value]);
}

/** yaml-cpp's booleans: y yes true on and their opposites, in lower, upper or capital letters. */
const flagOf = (text: string): boolean | undefined => flags.get(text);

/** A C++ unsigned integer: decimal, octal after 0, hexadecimal after 0x. */
const countOf = (text: string): number | undefined => {
  const trimmed = text.trim();
  const value = /^\+?0[xX][0-9a-fA-F]+$/.test(trimmed)
    ? Number.parseInt(trimmed.replace("+", ""), 16)
    : /^\+?0[0-7]+$/.test(trimmed)
      ? Number.parseInt(trimmed, 8)
      : /^\+?\d+$/.test(trimmed)
        ? Number(trimmed)
        : Number.NaN;
  return Number.isInteger(value) && value <= 0xffffffff ? value : undefined;
};

export { countOf };

/** The scalars of a list; absent: undefined unless it is mandatory. */
export const decodeList = (
  item: YamlNode,
  key: string,
  context: Context,
  mandatory: boolean,
): readonly string[] | undefined => {
  const node = entryOf(item, key);
  if (node === undefined) return mandatory ? refuse(`Item has no mapping for key '${key}'`, context) : undefined;
  const here = within(context, "value for", key, node.at);
  if (node.kind !== "seq") return refuse("Value is not a sequence", here);
  return node.items.map((value) =>
    value.kind === "scalar"
      ? value.text
      : refuse("sequence value is not scalar", within(here, "list item", "", value.at)),
  );
};

export interface Overrides {
  readonly append: ReadonlySet<string>;
  readonly replace: ReadonlySet<string>;
}

/** The `override` map; anything that is no map counts as none, except a list. */
export const decodeOverrides = (
  item: YamlNode,
  context: Context,
  appendable: ReadonlySet<string>,
  replaceable: ReadonlySet<string>,
): Overrides => {
  const append = new Set<string>();
  const replace = new Set<string>();
  const node = entryOf(item, "override");
  if (node?.kind === "seq" && node.items.length > 0)
    throw new RulesError(
      "LOAD_ERR_VALIDATE",
      "invalid node; this may result from using a map iterator as a sequence iterator, or vice-versa",
      rootOf(context),
    );
  if (node?.kind !== "map") return { append, replace };
  const here = within(context, "overrides", "", item.at);
  for (const { key, value } of node.entries) {
    const name = scalarOf(key, context);
    const operation = scalarOf(value, context);
    const there = within(here, "overrides", name, key.at);
    if (operation === "append") {
      refuseIf(!appendable.has(name), `Key '${name}' cannot be appended to, use 'replace' instead`, there);
      append.add(name);
    } else if (operation === "replace") {
      refuseIf(!replaceable.has(name), `Key '${name}' cannot be replaced`, there);
      replace.add(name);
    } else {
      const allowed = `${appendable.has(name) ? "append " : ""}${replaceable.has(name) ? "replace " : ""}`;
      refuse(
        `Invalid override operation for key '${name}': '${operation}'. Allowed values are: ${allowed}`,
        within(here, "value for", name, value.at),
      );
    }
  }
  return { append, replace };
};

const scalarOf = (node: YamlNode, context: Context): string => {
  if (node.kind === "scalar") return node.text;
  if (node.kind === "null") return "null";
  throw new RulesError("LOAD_ERR_VALIDATE", "bad conversion", rootOf(context));
};

export const rootOf = (context: Context): Context => (context.parent === undefined ? context : rootOf(context.parent));
