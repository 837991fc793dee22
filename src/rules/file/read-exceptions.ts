import { type Context, within } from "./context.ts";
import { decodeText, refuseIf } from "./decode.ts";
import type { Entry, ExceptionItem } from "./items.ts";
import type { Code } from "./problem.ts";
import { RulesError } from "./problem.ts";
import { entryOf, type YamlNode } from "./yaml.ts";

export type Warn = (code: Code, message: string, context: Context, deprecatedField?: string) => void;

/** The `exceptions` of a rule item; `append`: fields may be missing, and missing values are worth a warning. */
export const readExceptions = (
  item: YamlNode,
  parent: Context,
  append: boolean,
  warn: Warn,
): readonly ExceptionItem[] => {
  const node = entryOf(item, "exceptions");
  if (node === undefined || node.kind === "null") return [];
  const here = within(parent, "exceptions", "", node.at);
  if (node.kind !== "seq") throw new RulesError("LOAD_ERR_YAML_VALIDATE", "Rule exceptions must be a sequence", here);
  const made: ExceptionItem[] = [];
  for (const exception of node.items) {
    const nameless = within(here, "exception", "", exception.at);
    refuseIf(exception.kind !== "map", "Rule exception must be a mapping", nameless);
    const name = decodeText(exception, "name", nameless);
    const context = within(parent, "exception", name, exception.at);
    if (made.some((other) => other.name === name))
      warn("LOAD_EXCEPTION_NAME_NOT_UNIQUE", `Multiple definitions of exception '${name}' in the same rule`, context);
    made.push(readException(exception, name, context, append, warn));
  }
  return made;
};

const readException = (node: YamlNode, name: string, context: Context, append: boolean, warn: Warn): ExceptionItem => {
  const fields = readEntryAt(node, "fields", context, append);
  const comps = readEntryAt(node, "comps", context, true);
  const values = entryOf(node, "values");
  if (values === undefined) {
    if (append) warn("LOAD_APPEND_NO_VALUES", "Overriding/appending exception with no values", context);
  }
  return {
    name,
    context,
    ...(fields !== undefined && { fields }),
    ...(comps !== undefined && { comps }),
    values: values === undefined ? [] : readValues(values, context),
  };
};

const readValues = (node: YamlNode, context: Context): readonly Entry[] => {
  const here = within(context, "exception values", "", node.at);
  if (node.kind !== "seq")
    throw new RulesError("LOAD_ERR_YAML_VALIDATE", "Rule exception values must be a sequence", here);
  return node.items.map((value) => readEntry(value, "", within(here, "exception value", "", value.at)));
};

const readEntryAt = (node: YamlNode, key: string, context: Context, optional: boolean): Entry | undefined => {
  const entry = entryOf(node, key);
  refuseIf(entry === undefined && !optional, `Item has no mapping for key '${key}'`, context);
  return entry === undefined ? undefined : readEntry(entry, key, context);
};

/** A value is at most a list in a row of a list; what is nested deeper has no meaning and is not read. */
const deepest = 3;

/** Maps and nulls become an empty text, which no length check accepts. */
const readEntry = (node: YamlNode, key: string, context: Context, depth = 0): Entry => {
  const here = within(context, "value for", key, node.at);
  if (node.kind === "scalar") {
    refuseIf(node.text === "", "Value must be non-empty", here);
    return node.text;
  }
  if (node.kind !== "seq" || depth === deepest) return "";
  return node.items.map((item) => readEntry(item, "", within(here, "exception", "", item.at), depth + 1));
};
