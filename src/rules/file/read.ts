import { barePattern, identifierPattern } from "../syntax/grammar.ts";
import type { Collector } from "./collect.ts";
import { type Context, within } from "./context.ts";
import { countOf, decodeList, decodeOverrides, decodeText, decodeValue, optionalFlag, refuseIf } from "./decode.ts";
import { appendAndOverride, appendIsDeprecated, warnUnknownKeys } from "./keys.ts";
import type { Warn } from "./read-exceptions.ts";
import { readRule } from "./read-rule.ts";
import { implicitVersion, parseVersion } from "./version.ts";
import { entryOf, type YamlNode } from "./yaml.ts";

/** Reads one item of a rules file into the collector; throws RulesError. The first of these keys decides what it is. */
export const readItem = (item: YamlNode, root: Context, collector: Collector, warn: Warn): void => {
  refuseIf(
    item.kind !== "map",
    "Unexpected element type. Each element should be a yaml associative array.",
    within(root, "rules content item", "", item.at),
  );
  const has = (key: string): boolean => entryOf(item, key) !== undefined;
  if (has("required_engine_version")) readEngineVersion(item, root, collector, warn);
  else if (has("required_plugin_versions")) readPluginVersions(item, root, collector, warn);
  else if (has("list")) readList(item, root, collector, warn);
  else if (has("macro")) readMacro(item, root, collector, warn);
  else if (has("rule")) readRule(item, root, collector, warn);
  else warn("LOAD_UNKNOWN_ITEM", "Unknown top level item", within(root, "rules content item", "", item.at));
};

const engineKeys = new Set(["required_engine_version"]);

const readEngineVersion = (item: YamlNode, root: Context, collector: Collector, warn: Warn): void => {
  const context = within(root, "required_engine_version", "", item.at);
  warnUnknownKeys(item, engineKeys, context, warn);
  const text = decodeText(item, "required_engine_version", context);
  const implicit = countOf(text);
  const version = implicit === undefined ? parseVersion(text) : implicitVersion(implicit);
  if (version === undefined) {
    refuseIf(
      true,
      `Unable to parse engine version '${text}' as a semver string. Expected "x.y.z" semver format.`,
      context,
    );
    return;
  }
  collector.requireEngine(version, context);
};

const pluginKeys = new Set(["required_plugin_versions"]);

const readPluginVersions = (item: YamlNode, root: Context, collector: Collector, warn: Warn): void => {
  const node = entryOf(item, "required_plugin_versions") as YamlNode;
  const context = within(root, "required plugin versions", "", node.at);
  warnUnknownKeys(item, pluginKeys, context, warn);
  refuseIf(node.kind !== "seq", "Value of required_plugin_versions must be a sequence", context);
  if (node.kind !== "seq") return;
  for (const plugin of node.items) {
    const nameless = within(context, "required plugin versions entry", "", plugin.at);
    refuseIf(plugin.kind !== "map", "Plugin version must be a mapping", nameless);
    const name = decodeText(plugin, "name", nameless);
    const here = within(context, "required plugin versions entry", name, plugin.at);
    const first = { name, version: decodeText(plugin, "version", here) };
    collector.requirePlugin([first, ...readAlternatives(plugin, here)], here);
  }
};

const readAlternatives = (plugin: YamlNode, context: Context): { name: string; version: string }[] => {
  const node = entryOf(plugin, "alternatives");
  if (node === undefined) return [];
  refuseIf(node.kind !== "seq", "Value of plugin version alternatives must be a sequence", context);
  if (node.kind !== "seq") return [];
  return node.items.map((alternative) => {
    const kind = "required plugin versions alternative";
    const nameless = within(context, kind, "", alternative.at);
    refuseIf(alternative.kind !== "map", "Plugin version alternative must be a mapping", nameless);
    const name = decodeText(alternative, "name", nameless);
    return { name, version: decodeText(alternative, "version", within(context, kind, name, alternative.at)) };
  });
};

const listKeys = new Set(["list", "items", "append", "override"]);
const listOverrides = new Set(["items"]);

const readList = (item: YamlNode, root: Context, collector: Collector, warn: Warn): void => {
  const name = decodeText(item, "list", within(root, "list", "", item.at));
  const context = within(root, "list", name, item.at);
  warnUnknownKeys(item, listKeys, context, warn);
  if (!/^[^()"'\s=,]+$/.test(name))
    warn(
      "LOAD_INVALID_LIST_NAME",
      `List has an invalid name. List names should match a regular expression: ${barePattern}`,
      context,
    );
  const items = decodeList(item, "items", context, true) ?? [];
  const draft = { name, context, items };
  if (isAppended(item, context, listOverrides, warn)) collector.appendList(draft);
  else collector.defineList(draft);
};

/** Whether a list or macro adds to its namesake: by `append: true` or by its one overridable key. */
const isAppended = (item: YamlNode, context: Context, keys: ReadonlySet<string>, warn: Warn): boolean => {
  const append = optionalFlag(item, "append", context) ?? false;
  if (append) warn("LOAD_DEPRECATED_ITEM", appendIsDeprecated, context);
  const overrides = decodeOverrides(item, context, keys, keys);
  refuseIf(append && (overrides.append.size > 0 || overrides.replace.size > 0), appendAndOverride, context);
  return append || overrides.append.size > 0;
};

const macroKeys = new Set(["macro", "condition", "append", "override"]);
const macroOverrides = new Set(["condition"]);

const readMacro = (item: YamlNode, root: Context, collector: Collector, warn: Warn): void => {
  const name = decodeText(item, "macro", within(root, "macro", "", item.at));
  const context = within(root, "macro", name, item.at);
  warnUnknownKeys(item, macroKeys, context, warn);
  if (!/^[a-zA-Z]+[a-zA-Z0-9_]*$/.test(name))
    warn(
      "LOAD_INVALID_MACRO_NAME",
      `Macro has an invalid name. Macro names should match a regular expression: ${identifierPattern}`,
      context,
    );
  const condition = decodeValue(item, "condition", context, (text) => text);
  const at = entryOf(item, "condition")?.at ?? item.at;
  const draft = { name, context, condition, conditionContext: within(context, "macro condition", "", at) };
  if (isAppended(item, context, macroOverrides, warn)) collector.appendMacro(draft);
  else collector.defineMacro(draft);
};
