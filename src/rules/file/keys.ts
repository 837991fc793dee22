import type { Context } from "./context.ts";
import type { Warn } from "./read-exceptions.ts";
import type { YamlNode } from "./yaml.ts";

export const appendIsDeprecated =
  "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.";
export const appendAndOverride =
  "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.";

/** Keys that the item's kind does not have are worth a warning each. */
export const warnUnknownKeys = (item: YamlNode, known: ReadonlySet<string>, context: Context, warn: Warn): void => {
  if (item.kind !== "map") return;
  for (const { key } of item.entries)
    if (key.kind === "scalar" && key.text !== "<<" && !known.has(key.text))
      warn("LOAD_UNKNOWN_KEY", `Unknown key '${key.text}'. The key will be ignored.`, context);
};
