import type { AlertFacts, CompiledRule, FileInput, RuleConfig, RuleSet } from "../../rules/index.ts";
import { loadRules } from "../../rules/index.ts";
import type { JsonEvent } from "../../sdk/json-event.ts";
import type { KubeView } from "../../sdk/kubernetes.ts";
import { type EventKind, ruleCatalogOf } from "./kinds.ts";

/** Rules, ready for one event after the other. */
export interface EventRules {
  readonly set: RuleSet;
  /** The rules that the event matches. */
  match(event: JsonEvent): readonly CompiledRule<unknown>[];
  /** What is known of where it happened. */
  view(event: JsonEvent): KubeView | undefined;
  /** What alerts of the event say beside its fields. */
  facts(event: JsonEvent): AlertFacts;
}

export interface EventRulesOptions {
  readonly config: RuleConfig;
  readonly hostname: string;
  /** Rules for other sources load and never match. */
  readonly kinds: readonly EventKind[];
  /** Those that a Falco with all plugins would have; absent: `kinds`. */
  readonly known?: readonly EventKind[];
  /** Minutes that local time is ahead of UTC at a time in milliseconds since the epoch; standard: the system's zone. */
  readonly offsetMinutes?: (ms: number) => number;
}

/** The plugin whose fields all events have. */
const everywhere = { name: "json", version: "0.7.4" };

const systemOffset = (ms: number): number => -new Date(ms).getTimezoneOffset();
const quarter = 900_000_000_000n;

/** Remembers the last quarter of an hour: zones change at none but their bounds. */
const zoneOf = (offsetMinutes: (ms: number) => number): ((ns: bigint) => number) => {
  let known: bigint | undefined;
  let minutes = 0;
  return (ns) => {
    const at = ns / quarter;
    if (at !== known) {
      known = at;
      minutes = offsetMinutes(Number(at) * 900_000);
    }
    return minutes;
  };
};

/** Compiles rules files for events of these kinds. Never throws for what is in them: look at `set.ok`. */
export const loadEventRules = (files: readonly FileInput[], options: EventRulesOptions): EventRules => {
  const { config, hostname, kinds, known = kinds } = options;
  const zone = zoneOf(options.offsetMinutes ?? systemOffset);
  const catalogs = kinds.map((kind) => ruleCatalogOf(kind, zone));
  const plugins = [...kinds.flatMap((kind) => kind.plugins), everywhere];
  const others = known.map((kind) => ruleCatalogOf(kind, zone));
  const set = loadRules(files, { catalogs, others, config, plugins });
  const judging = new Map(
    kinds.map(({ catalog }) => [catalog.source, { catalog, matcher: set.matcher(catalog.source) }]),
  );
  return {
    set,
    match: (event) => {
      const judge = judging.get(event.source);
      judge?.catalog.seen?.(event);
      return judge?.matcher?.match(event) ?? none;
    },
    view: (event) => {
      const refers = judging.get(event.source)?.catalog.refers;
      return refers && event.view(refers);
    },
    facts: (event) => ({ timeNs: event.timeNs, offsetMinutes: zone(event.timeNs), hostname }),
  };
};

const none: readonly CompiledRule<unknown>[] = [];
