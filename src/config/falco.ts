import { parseMatching, parseThreshold } from "../rules/file/config.ts";
import { choice, flag, list, pairs, text } from "../sdk/fields.ts";
import type { AnySource } from "../sdk/source.ts";
import { emptyUnset, unsetFault } from "./expand.ts";
import { appendOutputs, loadedPlugins, readPlugins, ruleSelections } from "./falco-lists.ts";
import { askedSources } from "./falco-sources.ts";
import type { Place } from "./problem.ts";
import { type Reader, readStrictly } from "./settings.ts";
import type { Tree } from "./tree.ts";
import type { FalcoConfig } from "./types.ts";

/** Keys of falco.yaml that hold plain values. */
export const falcoFields = {
  load_plugins: list("Names of the plugins to load; absent: all of `plugins`."),
  rules_files: list("Rule files and folders, in the order of loading."),
  rules_file: list("Older name of rules_files."),
  priority: text("Least severe priority of the rules that are loaded.", "debug"),
  rule_matching: choice("Alerts of one event: of the first rule that matches, or of all.", ["first", "all"], "first"),
  json_output: flag("Write alerts as JSON where they are written to a file or the terminal."),
  json_include_output_property: flag("The JSON has `output`.", true),
  json_include_message_property: flag("The JSON has `message`: the output without its prefix."),
  json_include_output_fields_property: flag("The JSON has `output_fields`.", true),
  json_include_tags_property: flag("The JSON has `tags`.", true),
  time_format_iso_8601: flag("Times as ISO 8601 in UTC."),
  buffer_format_base64: flag("Byte buffers as Base64."),
  static_fields: pairs("Fields with a fixed text, named `static.<name>` in rules.", { exact: true }),
};

/** Keys of falco.yaml that hold lists of maps. */
export const falcoLists = ["plugins", "append_output", "rules"] as const;

/** The keys of falco.yaml among the leaves of the file. */
export const readFalco = (
  found: ReadonlyMap<string, Tree>,
  sources: readonly AnySource[],
  reader: Reader,
): FalcoConfig => {
  // As Falco reads them.
  const told = (key: string, name: string, at: Place): void =>
    reader.problems.warn(key, `${unsetFault(name)} and counts as empty`, at);
  const tree = (key: string): Tree | undefined => {
    const there = found.get(key);
    return there && emptyUnset(there, ({ at }, name) => told(key, name, at));
  };
  const fields = { ...falcoFields, rule_matching: text("", "first") };
  const { values, places } = readStrictly(fields, { label: "", inFile: tree, envOver: () => [] }, reader);
  if (found.has("rules_files") && found.has("rules_file"))
    reader.problems.error("rules_file", "both 'rules_files' and 'rules_file' keys set", found.get("rules_file")?.at);
  const names = values.load_plugins as readonly string[];
  const plugins = readPlugins(tree("plugins"), reader.problems);
  const priority = parseThreshold(String(values.priority));
  if (typeof priority === "object") reader.problems.error("priority", priority.fault, places.get("priority"));
  const matching = parseMatching(String(values.rule_matching));
  if (typeof matching === "object") reader.problems.error("rule_matching", matching.fault, places.get("rule_matching"));
  const builtIn = sources.flatMap(({ plugin }) => plugin?.name ?? []);
  const loaded = found.has("load_plugins")
    ? loadedPlugins(names, plugins, builtIn, reader.problems, placeOf(found))
    : plugins;
  const named = [...plugins, ...loaded].map(({ name }) => name);
  return {
    hostname: reader.env.FALCO_HOSTNAME ?? "",
    plugins,
    loaded: [...loaded, ...askedSources(sources, found, named, reader)],
    rulesFiles: [...(values.rules_files as readonly string[]), ...(values.rules_file as readonly string[])],
    appendOutput: appendOutputs(tree("append_output"), reader.problems),
    rules: ruleSelections(tree("rules"), reader.problems),
    ruleMatching: typeof matching === "object" ? "first" : matching,
    priority: typeof priority === "object" ? "Debug" : priority,
    jsonOutput: values.json_output === true,
    jsonIncludeOutputProperty: values.json_include_output_property === true,
    jsonIncludeMessageProperty: values.json_include_message_property === true,
    jsonIncludeOutputFieldsProperty: values.json_include_output_fields_property === true,
    jsonIncludeTagsProperty: values.json_include_tags_property === true,
    timeFormatIso8601: values.time_format_iso_8601 === true,
    bufferFormatBase64: values.buffer_format_base64 === true,
    staticFields: values.static_fields as Readonly<Record<string, string>>,
  };
};

const placeOf = (found: ReadonlyMap<string, Tree>): Place => found.get("load_plugins")?.at ?? {};
