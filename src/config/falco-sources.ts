import type { Fields } from "../sdk/fields.ts";
import type { AnySource } from "../sdk/source.ts";
import { type Reader, readFields } from "./settings.ts";
import type { Tree } from "./tree.ts";
import type { PluginConfig } from "./types.ts";

/** Keys of falco.yaml that sources read for themselves. */
export const falcoKeysOf = (sources: readonly AnySource[]): Fields =>
  Object.assign({}, ...sources.map(({ falco }) => falco?.fields ?? {}));

/** What falco.yaml asks of sources outside of `plugins`, as entries there would. `plugins`: those that it names. */
export const askedSources = (
  sources: readonly AnySource[],
  found: ReadonlyMap<string, Tree>,
  plugins: readonly string[],
  reader: Reader,
): readonly PluginConfig[] =>
  sources.flatMap(({ falco }): readonly PluginConfig[] => {
    if (!falco) return [];
    const lookup = { label: "", inFile: (key: string) => found.get(key), envOver: () => [] };
    const { values, faults } = readFields(falco.fields, lookup, reader);
    const wish = falco.read({ values, given: (key) => found.has(key), plugins });
    if (!wish) return [];
    for (const { key, message, at } of faults) reader.problems.error(key, message, at);
    const { key } = wish;
    const { at } = found.get(key) ?? {};
    if ("leftOut" in wish) reader.problems.warn(key, wish.leftOut, at);
    if ("fault" in wish) reader.problems.error(key, wish.fault, at);
    if (!("plugin" in wish)) return [];
    const { file, line, column } = at ?? {};
    const place = {
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    };
    return [{ ...wish.plugin, from: { key, keys: wish.keys, ...place } }];
  });
