import { type Priority, parsePriority } from "../../sdk/alert.ts";
import type { Collector } from "./collect.ts";
import { type Context, within } from "./context.ts";
import {
  decodeCount,
  decodeFlag,
  decodeList,
  decodeOverrides,
  decodeText,
  optionalCount,
  optionalFlag,
  optionalText,
  refuseIf,
} from "./decode.ts";
import { type RuleUpdate, tagSet } from "./items.ts";
import { appendAndOverride, appendIsDeprecated, warnUnknownKeys } from "./keys.ts";
import { RulesError } from "./problem.ts";
import { readExceptions, type Warn } from "./read-exceptions.ts";
import { entryOf, type YamlNode } from "./yaml.ts";

const enabledIsDeprecated =
  "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under the 'override' key (i.e. 'enabled: replace').";

const appendable = new Set(["condition", "output", "desc", "tags", "exceptions"]);
const replaceable = new Set([
  ...appendable,
  "priority",
  "enabled",
  "capture",
  "capture_duration",
  "warn_evttypes",
  "skip-if-unknown-filter",
]);
const ruleKeys = new Set(["rule", "source", "append", "override", ...replaceable]);

/** A rule item: a definition, an append, an override, or the bare `enabled` switch. */
export const readRule = (item: YamlNode, root: Context, collector: Collector, warn: Warn): void => {
  const name = decodeText(item, "rule", within(root, "rule", "", item.at));
  const context = within(root, "rule", name, item.at);
  warnUnknownKeys(item, ruleKeys, context, warn);
  const append = optionalFlag(item, "append", context) ?? false;
  if (append) warn("LOAD_DEPRECATED_ITEM", appendIsDeprecated, context);
  const overrides = decodeOverrides(item, context, appendable, replaceable);
  const overridden = overrides.append.size > 0 || overrides.replace.size > 0;
  refuseIf(append && overridden, appendAndOverride, context);
  const has = (key: string): boolean => entryOf(item, key) !== undefined;

  if (overridden) readOverrides(item, name, context, overrides, collector, warn);
  else if (append)
    collector.appendRule({
      name,
      context,
      source: optionalText(item, "source", context),
      condition: optionalText(item, "condition", context),
      exceptions: has("exceptions") ? readExceptions(item, context, true, warn) : undefined,
    });
  else if (has("condition") || has("output") || has("desc") || has("priority"))
    defineRule(item, name, context, collector, warn);
  else {
    const enabled = decodeFlag(item, "enabled", context);
    warn("LOAD_DEPRECATED_ITEM", enabledIsDeprecated, context);
    collector.enableRule(name, enabled, context);
  }
};

const placeOfKey = (item: YamlNode, key: string, type: string, context: Context): Context =>
  within(context, type, "", entryOf(item, key)?.at ?? item.at);

const readPriority = (item: YamlNode, text: string, context: Context): Priority => {
  const priority = parsePriority(text);
  if (priority !== undefined) return priority;
  throw new RulesError(
    "LOAD_ERR_YAML_VALIDATE",
    "Invalid priority",
    placeOfKey(item, "priority", "rule priority", context),
  );
};

const defineRule = (item: YamlNode, name: string, context: Context, collector: Collector, warn: Warn): void => {
  const condition = decodeText(item, "condition", context);
  const output = decodeText(item, "output", context);
  const description = decodeText(item, "desc", context);
  const severity = decodeText(item, "priority", context);
  const priority = readPriority(item, severity, context);
  const source = optionalText(item, "source", context) ?? "syscall";
  collector.defineRule({
    name,
    context,
    condition,
    conditionContext: placeOfKey(item, "condition", "rule condition", context),
    output: output.trim(),
    outputContext: placeOfKey(item, "output", "rule output", context),
    description,
    priority,
    source,
    unknownSource: false,
    enabled: optionalFlag(item, "enabled", context) ?? true,
    warnEvttypes: optionalFlag(item, "warn_evttypes", context) ?? true,
    skipIfUnknownFilter: optionalFlag(item, "skip-if-unknown-filter", context) ?? false,
    capture: optionalFlag(item, "capture", context) ?? false,
    captureDuration: optionalCount(item, "capture_duration", context) ?? 0,
    tags: tagSet(decodeList(item, "tags", context, false) ?? []),
    exceptions: readExceptions(item, context, false, warn),
  });
};

const readOverrides = (
  item: YamlNode,
  name: string,
  context: Context,
  overrides: { readonly append: ReadonlySet<string>; readonly replace: ReadonlySet<string> },
  collector: Collector,
  warn: Warn,
): void => {
  const unclaimed = new Set([...replaceable].filter((key) => entryOf(item, key) !== undefined));
  const claim = <T>(kind: "append" | "replace", key: string, decode: () => T): T | undefined => {
    if (!overrides[kind].has(key)) return undefined;
    refuseIf(
      !unclaimed.has(key),
      `An ${kind} override for '${key}' was specified but '${key}' is not defined`,
      context,
    );
    unclaimed.delete(key);
    return decode();
  };
  const source = optionalText(item, "source", context);
  const shared = (kind: "append" | "replace"): RuleUpdate => ({
    name,
    context,
    source,
    condition: claim(kind, "condition", () => decodeText(item, "condition", context)),
    exceptions: claim(kind, "exceptions", () => readExceptions(item, context, kind === "append", warn)),
    output: claim(kind, "output", () => decodeText(item, "output", context)),
    description: claim(kind, "desc", () => decodeText(item, "desc", context)),
    tags: claim(kind, "tags", () => tagSet(decodeList(item, "tags", context, false) ?? [])),
  });
  if (overrides.append.size > 0) collector.appendRule(shared("append"));
  if (overrides.replace.size > 0)
    collector.replaceRule({
      ...shared("replace"),
      priority: claim("replace", "priority", () => readPriority(item, decodeText(item, "priority", context), context)),
      enabled: claim("replace", "enabled", () => decodeFlag(item, "enabled", context)),
      warnEvttypes: claim("replace", "warn_evttypes", () => decodeFlag(item, "warn_evttypes", context)),
      skipIfUnknownFilter: claim("replace", "skip-if-unknown-filter", () =>
        decodeFlag(item, "skip-if-unknown-filter", context),
      ),
      capture: claim("replace", "capture", () => decodeFlag(item, "capture", context)),
      captureDuration: claim("replace", "capture_duration", () => decodeCount(item, "capture_duration", context)),
    });
  const [left] = [...unclaimed].sort();
  if (left !== undefined)
    refuseIf(
      true,
      `Unexpected key '${left}': no corresponding entry under 'override' is defined.`,
      within(context, "overrides", left, entryOf(item, left)?.at ?? item.at),
    );
};
