import type { AppendOutput, Selection } from "../rules/file/config.ts";
import type { Place, Problems } from "./problem.ts";
import { type MapTree, plain, type Tree, textOf } from "./tree.ts";
import type { PluginConfig } from "./types.ts";

/** The maps of a list; anything else in it is an error. */
const mapsOf = (tree: Tree | undefined, key: string, problems: Problems): readonly (readonly [MapTree, string])[] => {
  if (!tree || (tree.kind === "leaf" && tree.value === null)) return [];
  if (tree.kind !== "list") {
    problems.error(key, "must be a list", tree.at);
    return [];
  }
  return tree.items.flatMap((item, i) => {
    if (item.kind === "map") return [[item, `${key}[${i}]`] as const];
    problems.error(`${key}[${i}]`, "must hold keys and values", item.at);
    return [];
  });
};

const child = (map: MapTree, key: string): Tree | undefined => map.entries.find((e) => e.key === key)?.tree;

const textsOf = (tree: Tree | undefined): readonly string[] | undefined => {
  if (tree?.kind === "list") return tree.items.flatMap((item) => textOf(item) ?? []);
  const one = textOf(tree);
  return one === undefined ? undefined : [one];
};

export const readPlugins = (tree: Tree | undefined, problems: Problems): PluginConfig[] =>
  mapsOf(tree, "plugins", problems).flatMap(([map, label]) => {
    const name = textOf(child(map, "name"));
    if (!name) {
      problems.error(`${label}.name`, "is missing", map.at);
      return [];
    }
    const init = child(map, "init_config");
    const open = child(map, "open_params");
    return [
      {
        name,
        libraryPath: textOf(child(map, "library_path")) ?? "",
        initConfig: init ? plain(init) : undefined,
        openParams: open ? plain(open) : undefined,
        ...(map.at.line !== undefined && { line: map.at.line }),
      },
    ];
  });

/** The plugin whose fields all events have. */
const everywhere = "json";

/** Plugins that bring no events, only fields: what becomes of those; an empty text: they are all here. */
export const extractors: ReadonlyMap<string, string> = new Map([
  [everywhere, ""],
  ["k8smeta", ""],
  ["container", "is not provided: container fields belong to system calls, which Falco goes on reading"],
  ["anomalydetection", "is not provided: rules see no anomaly fields"],
]);

/** Those that `load_plugins` names, in its order; of sources that are here (`builtIn`) `plugins` need not say anything. */
export const loadedPlugins = (
  names: readonly string[],
  plugins: readonly PluginConfig[],
  builtIn: readonly string[],
  problems: Problems,
  at: Place,
): PluginConfig[] =>
  names.flatMap((name) => {
    const bare = { name, libraryPath: "", initConfig: undefined, openParams: undefined };
    const plugin = plugins.find((p) => p.name === name) ?? ([...builtIn, everywhere].includes(name) ? bare : undefined);
    if (!plugin) problems.error("load_plugins", `no plugin "${name}" under plugins`, at);
    return plugin ?? [];
  });

export const appendOutputs = (tree: Tree | undefined, problems: Problems): AppendOutput[] =>
  mapsOf(tree, "append_output", problems).map(([map, label]) => {
    const match = child(map, "match");
    const within = (key: string): Tree | undefined => (match?.kind === "map" ? child(match, key) : undefined);
    if (match && match.kind !== "map" && textOf(match))
      problems.error(`${label}.match`, "must hold keys and values", match.at);
    const rule = textOf(within("rule"));
    const source = textOf(within("source"));
    const tags = textsOf(within("tags"));
    const extraOutput = textOf(child(map, "extra_output"));
    const suggested = child(map, "suggested_output");
    return {
      match: { ...(rule && { rule }), ...(source && { source }), ...(tags && { tags }) },
      ...(extraOutput && { extra_output: extraOutput }),
      extra_fields: extraFields(child(map, "extra_fields"), label, problems),
      ...(suggested?.kind === "leaf" && { suggested_output: suggested.value === true || suggested.value === "true" }),
    };
  });

const extraFields = (
  tree: Tree | undefined,
  label: string,
  problems: Problems,
): NonNullable<AppendOutput["extra_fields"]> => {
  if (!tree || tree.kind === "leaf") return [];
  if (tree.kind === "map") return [formats(tree)];
  return tree.items.flatMap((item): NonNullable<AppendOutput["extra_fields"]> => {
    if (item.kind === "map") return [formats(item)];
    const name = textOf(item);
    if (name === undefined) problems.error(`${label}.extra_fields`, "must hold names, or names with a format", item.at);
    return name === undefined ? [] : [name];
  });
};

const formats = (map: MapTree): Readonly<Record<string, string>> =>
  Object.fromEntries(map.entries.map((e) => [e.key, textOf(e.tree) ?? ""]));

/** As Falco: `enable` goes before `disable` in one entry, and an entry that chooses nothing is an error. */
export const ruleSelections = (tree: Tree | undefined, problems: Problems): Selection[] =>
  mapsOf(tree, "rules", problems).flatMap(([map, label]) => {
    const action = (["enable", "disable"] as const).find((key) => child(map, key) !== undefined);
    const what = action && child(map, action);
    const rule = what?.kind === "map" ? textOf(child(what, "rule")) : undefined;
    const tag = what?.kind === "map" ? textOf(child(what, "tag")) : undefined;
    if (action && (rule || tag)) return [{ enable: action === "enable", ...(rule && { rule }), ...(tag && { tag }) }];
    problems.error(
      action ? `${label}.${action}` : label,
      "must be `enable` or `disable` with a `rule` or a `tag`",
      what?.at ?? map.at,
    );
    return [];
  });
