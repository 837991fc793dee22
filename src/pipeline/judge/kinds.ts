import { evtFields } from "../../fields/evt.ts";
import { jsonFields } from "../../fields/json.ts";
import { kubeFields } from "../../fields/k8smeta.ts";
import type { AnyCatalog, LoadedPlugin } from "../../rules/index.ts";
import { catalogOf, type Field } from "../../sdk/catalog.ts";
import type { EventCatalog } from "../../sdk/event-catalog.ts";
import type { JsonEvent } from "../../sdk/json-event.ts";
import type { AnySource } from "../../sdk/source.ts";

/** Events of one kind, as rules see them. */
export interface EventKind {
  readonly catalog: EventCatalog;
  /** `evt.pluginname` of its events. */
  readonly plugin: string;
  /** What rules may ask for in `required_plugin_versions`. */
  readonly plugins: readonly LoadedPlugin[];
}

/**
 * The kinds of events that these sources bring. Of several that share one the first names the plugin: a configured one, else
 * that which stands in for most.
 */
export const kindsOf = (sources: readonly AnySource[], configured: readonly AnySource[] = []): readonly EventKind[] => {
  const kinds = new Map<string, EventKind>();
  for (const { name, catalog, plugin } of [...configured, ...sources.toSorted((a, b) => reach(b) - reach(a))]) {
    if (!catalog) continue;
    const { source } = catalog;
    const { name: named = name, version, alike = {} } = plugin ?? {};
    const own = version === undefined ? [] : Object.entries({ [named]: version, ...alike });
    const known = kinds.get(source) ?? { catalog, plugin: named, plugins: [] };
    const more = own.filter(([name]) => !known.plugins.some((each) => each.name === name));
    const plugins = [...known.plugins, ...more.map(([name, version]) => ({ name, version }))];
    kinds.set(source, { ...known, plugins });
  }
  return [...kinds.values()];
};

const reach = ({ plugin }: AnySource): number => (plugin ? 1 + Object.keys(plugin.alike ?? {}).length : 0);

/** The kind that is meant where none is named: the first that brings rules, else the first. */
export const usualKind = (kinds: readonly EventKind[]): EventKind | undefined =>
  kinds.find(({ catalog }) => catalog.rules !== undefined) ?? kinds[0];

/** Its own fields, and those that all events have. `offsetMinutes`: that local time is ahead of UTC at a time in nanoseconds. */
export const fieldsOfKind = (
  { catalog, plugin }: EventKind,
  offsetMinutes: (ns: bigint) => number = () => 0,
): readonly Field<JsonEvent>[] => [
  ...catalog.fields.values(),
  ...jsonFields,
  ...kubeFields<JsonEvent>((event) => catalog.refers && event.view(catalog.refers)),
  ...evtFields<JsonEvent>({ pluginName: plugin, offsetMinutes }),
];

/** The fields of several kinds, each name once. */
export const fieldsOfKinds = (
  kinds: readonly EventKind[],
  offsetMinutes?: (ns: bigint) => number,
): readonly Field<JsonEvent>[] => {
  const all = kinds.flatMap((kind) => fieldsOfKind(kind, offsetMinutes));
  const named = Map.groupBy(all, ({ name }) => name);
  return [...named.values()].flatMap(([first]) => first ?? []);
};

/** As rules are compiled against it. */
export const ruleCatalogOf = (kind: EventKind, offsetMinutes: (ns: bigint) => number): AnyCatalog => ({
  ...kind.catalog,
  ...catalogOf<JsonEvent>(kind.catalog.source, fieldsOfKind(kind, offsetMinutes)),
  plugin: kind.plugin,
});
