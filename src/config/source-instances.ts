import type { Fields } from "../sdk/fields.ts";
import type { AnySource } from "../sdk/source.ts";
import { extractors } from "./falco-lists.ts";
import { readInstances } from "./instances.ts";
import type { Place } from "./problem.ts";
import { type Reader, readFields } from "./settings.ts";
import { told } from "./told.ts";
import { type Tree, treeOf } from "./tree.ts";
import type { FalcoConfig, PluginConfig, SourceInstance } from "./types.ts";

export interface ReadSource {
  readonly id: string;
  readonly fields: Fields;
  readonly instance?: SourceInstance;
}

/** Sources under their own key, and those that stand in for a loaded plugin of falco.yaml. */
export const sourceInstances = (
  sources: readonly AnySource[],
  found: ReadonlyMap<string, Tree>,
  falco: FalcoConfig,
  reader: Reader,
): ReadSource[] => {
  const own = sources.flatMap((source) =>
    readInstances(source.name, source.fields, found, reader).map((raw): ReadSource => {
      const { id, values, name } = raw;
      const { fields } = source;
      for (const { key, message, at } of raw.faults) reader.problems.error(raw.label + key, message, at);
      if (!source.enabled(values)) {
        if (raw.inList) reader.problems.error(raw.label.slice(0, -1), "is not complete", raw.at);
        return { id, fields };
      }
      for (const fault of source.check?.(values) ?? []) reader.problems.error(...told(fault, raw, fields));
      const { files: secretFiles } = raw;
      const written = (key: string): string => raw.label + key;
      const instance = { id, source, config: values, secretFiles, written, ...(name !== undefined && { name }) };
      return { id, fields, instance };
    }),
  );
  const plugged = falco.loaded.flatMap((plugin, index) => {
    const at: Place = pluginPlace(plugin, found);
    const source = sources.find((s) => s.fromPlugin?.(plugin) !== undefined);
    const wanted = source?.fromPlugin?.(plugin);
    if (!source || !wanted) {
      nameMissing(plugin, sources, at, reader);
      return [];
    }
    return fromPlugin(source, wanted, `${source.name}.plugin-${index}`, writtenIn(plugin, source), at, reader);
  });
  return [...own, ...plugged];
};

/** A key of the source as falco.yaml calls it. */
const writtenIn = ({ name, from }: PluginConfig, { pluginKeys }: AnySource): ((key: string) => string) => {
  const block = `plugins.${name}`;
  const own = (key: string): string | undefined => {
    if (from) return from.keys[key];
    const named = pluginKeys?.[key];
    return named === undefined ? undefined : `${block}.${named}`;
  };
  return (key) => own(key) ?? `${from?.key ?? block}${key === "" ? "" : `.${key}`}`;
};

/** A loaded plugin that nothing here stands in for: without its events the hub would be blind and say nothing. */
const nameMissing = ({ name }: PluginConfig, sources: readonly AnySource[], at: Place, reader: Reader): void => {
  const fate = extractors.get(name);
  if (fate !== undefined && fate !== "") reader.problems.warn(`plugins.${name}`, fate, at);
  if (fate !== undefined) return;
  const known = sources.filter((source) => source.fromPlugin).map((source) => source.name);
  reader.problems.error(
    `plugins.${name}`,
    `is not available: none of its events would be seen (sources that are: ${known.join(", ")}); take it out of load_plugins to start without it`,
    at,
  );
};

const pluginPlace = (plugin: PluginConfig, found: ReadonlyMap<string, Tree>): Place => {
  if (plugin.from) {
    const { key: _key, keys: _keys, ...at } = plugin.from;
    return at;
  }
  const list = found.get("plugins");
  const items = list?.kind === "list" ? list.items : [];
  return items.find((item) => item.at.line === plugin.line)?.at ?? list?.at ?? {};
};

const fromPlugin = (
  source: AnySource,
  wanted: Readonly<Record<string, unknown>>,
  id: string,
  written: (key: string) => string,
  at: Place,
  reader: Reader,
): ReadSource[] => {
  const { fields } = source;
  const byKey = new Map(Object.entries(wanted).map(([key, value]) => [key.toLowerCase(), treeOf(value, at)]));
  const inFile = (key: string): Tree | undefined => byKey.get(key);
  const {
    values,
    faults,
    places,
    files: secretFiles,
  } = readFields(fields, { label: "", inFile, envOver: () => [] }, reader);
  for (const fault of faults) reader.problems.error(written(fault.key), fault.message, fault.at);
  for (const fault of source.check?.(values) ?? []) {
    const [key, message, place] = told(fault, { id, label: "", places, at }, fields);
    reader.problems.error(written(key), message, place);
  }
  return source.enabled(values) ? [{ id, fields, instance: { id, source, config: values, secretFiles, written } }] : [];
};
