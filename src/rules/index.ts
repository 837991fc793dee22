import type { FieldCatalog } from "../sdk/catalog.ts";
import { catalogOf } from "../sdk/catalog.ts";
import { bindCondition } from "./bind/bind.ts";
import { createSlots, type Slots } from "./bind/slots.ts";
import { syscallCatalog, syscallSource } from "./bind/syscall.ts";
import type { CompiledRule } from "./compile.ts";
import { matcherOf } from "./evaluate/choose-matcher.ts";
import { compileClosure, type Predicate } from "./evaluate/closures.ts";
import type { Matcher, Mode } from "./evaluate/matcher.ts";
import { defaultRuleConfig, type RuleConfig } from "./file/config.ts";
import { conditionPlace } from "./file/context.ts";
import type { RuleProblem } from "./file/problem.ts";
import { selectRules } from "./file/select.ts";
import { type LoadedPlugin, unmetRequirement } from "./file/version.ts";
import { type FileInput, type FileReport, loadFiles } from "./load.ts";
import { type Description, describeDefinitions } from "./report/describe.ts";
import { parseCondition } from "./syntax/parse.ts";

/** Any source's catalogue: events are opaque to the engine. */
// biome-ignore lint/suspicious/noExplicitAny: catalogues of events of every shape
export interface AnyCatalog extends FieldCatalog<any> {
  /** The plugin that brings its events, for descriptions. */
  readonly plugin?: string;
}

export interface LoadOptions {
  readonly catalogs: readonly AnyCatalog[];
  /** Catalogues whose fields belong in no rule for kernel events, fed or not; absent: `catalogs`. */
  readonly others?: readonly AnyCatalog[];
  readonly config?: Partial<RuleConfig>;
  /** Plugins that `required_plugin_versions` may ask for. */
  readonly plugins?: readonly LoadedPlugin[];
  /** `closures`: never generate code. */
  readonly mode?: Mode;
}

export interface RuleSet {
  /** False: the files must not take the place of a running set. */
  readonly ok: boolean;
  readonly config: RuleConfig;
  readonly reports: readonly FileReport[];
  /** All problems of all files, each once. */
  readonly problems: readonly RuleProblem[];
  /** Names of the rules for sources that no catalogue is given for: they never match. */
  readonly unfed: ReadonlyMap<string, readonly string[]>;
  /** Why the loaded plugins do not suit; then the reports count for nothing. */
  readonly unmet: string | undefined;
  /** The rules that take part, in the order in which they are tried. */
  readonly rules: readonly CompiledRule<unknown>[];
  /** Every rule that compiled, also those switched off or not severe enough. */
  readonly defined: readonly CompiledRule<unknown>[];
  /** How events are evaluated; `closures` where code generation is forbidden. */
  readonly mode: Mode;
  /** The rules that an event of this source matches: the first, or all, as `rule_matching` says. */
  match(source: string, event: unknown): readonly CompiledRule<unknown>[];
  /** The compiled rules of one source; undefined: it has none. */
  matcher(source: string): Matcher | undefined;
  /** Names of the fields that the rules of a source use, arguments included. */
  fieldsOf(source: string): readonly string[];
  /** What `-L` prints as JSON, or `-l` for one rule; undefined: no rule of that name compiled. */
  describe(rule?: string): Description | undefined;
}

const none: readonly CompiledRule<unknown>[] = [];

/** Loads rules files in order. Never throws for what is in them: see `ok`, `problems` and `unmet`. */
export const loadRules = (files: readonly FileInput[], options: LoadOptions): RuleSet => {
  const config: RuleConfig = { ...defaultRuleConfig, ...options.config };
  const fed = new Set(options.catalogs.map((catalog) => catalog.source));
  const names = (options.others ?? options.catalogs).flatMap(({ fields }) => [...fields.keys()]);
  const known: readonly AnyCatalog[] = fed.has(syscallSource)
    ? options.catalogs
    : [...options.catalogs, syscallCatalog(names)];
  const catalogs = known.map((catalog) => withStatic(catalog, config));
  const loaded = loadFiles(files, catalogs, config);
  const pluginOf = new Map(known.map(({ source, plugin }) => [source, plugin]));
  const byItem = new Map(loaded.rules.map((rule) => [rule.item, rule]));
  const chosen = selectRules([...byItem.keys()], config);
  const rules = chosen.flatMap((item) => byItem.get(item) ?? []);
  const matchers = new Map<string, Matcher>();
  for (const [source, slots] of loaded.slots) {
    if (!fed.has(source)) continue;
    const own = rules.filter((rule) => rule.item.source === source);
    if (own.length > 0) matchers.set(source, matcherOf(own, slots, config.rule_matching, options.mode ?? "generated"));
  }
  const idle = Array.from(loaded.collector.rules.values()).filter(({ source }) => !fed.has(source));
  const bySource = Map.groupBy(idle, ({ source }) => source);
  const unmet = unmetRequirement(loaded.requirements, options.plugins ?? []);
  return {
    ok: unmet === undefined && loaded.reports.every((report) => report.ok),
    config,
    reports: loaded.reports,
    problems: unique(loaded.reports.flatMap((report) => report.problems)),
    unfed: new Map(Array.from(bySource, ([source, items]) => [source, items.map(({ name }) => name)])),
    unmet,
    rules,
    defined: loaded.rules,
    mode: [...matchers.values()].every((matcher) => matcher.mode === "generated")
      ? (options.mode ?? "generated")
      : "closures",
    match: (source, event) => matchers.get(source)?.match(event) ?? none,
    matcher: (source) => matchers.get(source),
    fieldsOf: (source) => loaded.slots.get(source)?.bound.map((bound) => bound.title) ?? [],
    describe: (rule) => describeDefinitions(loaded.collector, loaded.rules, (source) => pluginOf.get(source), rule),
  };
};

/** The same fault is reported again with every later file; here it counts once. */
const unique = (problems: readonly RuleProblem[]): readonly RuleProblem[] => {
  const seen = new Map<string, RuleProblem>();
  for (const each of problems) {
    const key = JSON.stringify([each.code, each.message, each.locations]);
    if (!seen.has(key)) seen.set(key, each);
  }
  return [...seen.values()];
};

const withStatic = (catalog: AnyCatalog, config: RuleConfig): AnyCatalog => {
  const names = Object.entries(config.static_fields);
  if (names.length === 0) return catalog;
  const fixed = names.map(([name, value]) => ({
    name: `static.${name}`,
    type: "string" as const,
    list: false,
    about: "Set in the configuration.",
    get: () => value,
  }));
  return { ...catalog, ...catalogOf(catalog.source, [...catalog.fields.values(), ...fixed]) };
};

/** A condition outside of rules (`match:` of an output, a search, a silence): no macros or lists. */
export type CompiledCondition<E> =
  | { readonly ok: true; readonly test: Predicate<E>; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      readonly message: string;
      /** From 1. */
      readonly line: number;
      readonly column: number;
    };

export const compileCondition = <E>(text: string, catalog: FieldCatalog<E>): CompiledCondition<E> => {
  const fail = (message: string, at: number): CompiledCondition<E> => {
    const { line, column } = conditionPlace(text, at);
    return { ok: false, message, line, column };
  };
  const parsed = parseCondition(text);
  if (!parsed.ok) return fail(parsed.message, parsed.at);
  const slots: Slots<E> = createSlots(catalog);
  const bound = bindCondition(parsed.value, slots);
  if (!bound.ok) return fail(bound.fault.message, bound.fault.at);
  const reads = slots.bound.map((field) => field.read);
  return { ok: true, test: compileClosure(bound.plan, reads), warnings: bound.warnings.map((w) => w.message) };
};

export { formatAlert } from "./alert/alert.ts";
export { type AlertFacts, jsonAlert, textAlert } from "./alert/alert-text.ts";
export type { CompiledRule } from "./compile.ts";
export type { Matcher, Mode } from "./evaluate/matcher.ts";
export type { RuleConfig, Selection } from "./file/config.ts";
export type { RuleProblem } from "./file/problem.ts";
export type { LoadedPlugin } from "./file/version.ts";
export type { FileInput, FileReport } from "./load.ts";
export { type Description, textDescription } from "./report/describe.ts";
export { blockOf, jsonReport, textReport } from "./report/report.ts";
export { createTally } from "./report/summary.ts";
