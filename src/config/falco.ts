import { defaultRuleConfig, parseMatching, parseThreshold } from "../rules/file/config.ts";
import { text } from "../sdk/fields.ts";
import type { AnySource } from "../sdk/source.ts";
import { emptyUnset, unsetFault } from "./expand.ts";
import { falcoFields } from "./falco-keys.ts";
import { appendOutputs, loadedPlugins, readPlugins, ruleSelections } from "./falco-lists.ts";
import { askedSources } from "./falco-sources.ts";
import type { Place } from "./problem.ts";
import { type Reader, readStrictly } from "./settings.ts";
import type { Tree } from "./tree.ts";
import type { FalcoConfig } from "./types.ts";

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
  const fields = { ...falcoFields, rule_matching: text("", defaultRuleConfig.rule_matching) };
  const { values, places } = readStrictly(fields, { label: "", inFile: tree, envOver: () => [] }, reader);
  if (found.has("rules_files") && found.has("rules_file"))
    reader.problems.error("rules_file", "both 'rules_files' and 'rules_file' keys set", found.get("rules_file")?.at);
  const { load_plugins: names, rules_files, rules_file, ...asWritten } = values;
  const plugins = readPlugins(tree("plugins"), reader.problems);
  const priority = parseThreshold(values.priority);
  if (typeof priority === "object") reader.problems.error("priority", priority.fault, places.get("priority"));
  const matching = parseMatching(values.rule_matching);
  if (typeof matching === "object") reader.problems.error("rule_matching", matching.fault, places.get("rule_matching"));
  const builtIn = sources.flatMap(({ plugin }) => plugin?.name ?? []);
  const loaded = found.has("load_plugins")
    ? loadedPlugins(names, plugins, builtIn, reader.problems, whereNamed(found))
    : plugins;
  const named = [...plugins, ...loaded].map(({ name }) => name);
  return {
    ...asWritten,
    hostname: reader.env.FALCO_HOSTNAME ?? "",
    plugins,
    loaded: [...loaded, ...askedSources(sources, found, named, reader)],
    rules_files: [...rules_files, ...rules_file],
    append_output: appendOutputs(tree("append_output"), reader.problems),
    rules: ruleSelections(tree("rules"), reader.problems),
    rule_matching: typeof matching === "object" ? defaultRuleConfig.rule_matching : matching,
    priority: typeof priority === "object" ? defaultRuleConfig.priority : priority,
  };
};

const whereNamed = (found: ReadonlyMap<string, Tree>): Place => found.get("load_plugins")?.at ?? {};
