import type { Context } from "./context.ts";
import type { ExceptionItem, ListItem, MacroItem, PluginRequirement, RuleItem, RuleUpdate } from "./items.ts";
import { tagSet } from "./items.ts";
import { RulesError } from "./problem.ts";
import { type FieldCheck, validateException } from "./validate-exception.ts";
import { compareVersions, engineVersion, isCompatible, parseVersion, type Version } from "./version.ts";

/**
 * Definitions in the order of files and items. Appends and overrides change what was collected before them; the order of
 * rules is the order of their first definition.
 */
export interface Collector {
  readonly lists: ReadonlyMap<string, ListItem>;
  readonly macros: ReadonlyMap<string, MacroItem>;
  readonly rules: ReadonlyMap<string, RuleItem>;
  readonly requirements: readonly (readonly PluginRequirement[])[];
  /** The newest engine that was asked for. */
  required(): Version | undefined;
  defineList(item: Draft<ListItem>): void;
  appendList(item: Draft<ListItem>): void;
  defineMacro(item: Draft<MacroItem>): void;
  appendMacro(item: Draft<MacroItem>): void;
  defineRule(item: Draft<RuleItem>): void;
  appendRule(update: RuleUpdate): void;
  replaceRule(update: RuleUpdate): void;
  enableRule(name: string, enabled: boolean, context: Context): void;
  requireEngine(version: Version, context: Context): void;
  requirePlugin(alternatives: readonly PluginRequirement[], context: Context): void;
}

export type Draft<T> = Omit<T, "index" | "visibility">;

const refuse = (message: string, context: Context): never => {
  throw new RulesError("LOAD_ERR_VALIDATE", message, context);
};

const otherSource = "Rule has been re-defined with a different source";

/** Counts definitions: the first of a name gives the place in the order, the last what is seen from where. */
interface Order {
  define<T extends Placed>(map: Map<string, T>, item: Omit<T, "index" | "visibility">): void;
  touch<T extends { name: string }>(map: Map<string, T>, item: T): void;
}

interface Placed {
  readonly name: string;
  readonly index: number;
  readonly visibility: number;
}

const createOrder = (): Order => {
  let next = 0;
  return {
    define: <T extends Placed>(map: Map<string, T>, item: Omit<T, "index" | "visibility">) => {
      const id = next++;
      const name = item.name as string;
      map.set(name, { ...item, index: map.get(name)?.index ?? id, visibility: id } as T);
    },
    touch: (map, item) => {
      map.set(item.name, { ...item, visibility: next++ });
    },
  };
};

type Named = Pick<Collector, "lists" | "macros" | "defineList" | "appendList" | "defineMacro" | "appendMacro">;

const collectNamed = (order: Order): Named => {
  const lists = new Map<string, ListItem>();
  const macros = new Map<string, MacroItem>();
  return {
    lists,
    macros,
    defineList: (item) => order.define(lists, item),
    appendList: (item) => {
      const before =
        lists.get(item.name) ??
        refuse("List uses 'append' or 'override.items: append' but no list by that name already exists", item.context);
      order.touch(lists, { ...before, items: [...before.items, ...item.items] });
    },
    defineMacro: (item) => order.define(macros, item),
    appendMacro: (item) => {
      const before =
        macros.get(item.name) ??
        refuse(
          "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists",
          item.context,
        );
      order.touch(macros, { ...before, condition: `${before.condition} ${item.condition}` });
    },
  };
};

type Rules = Pick<Collector, "rules" | "defineRule" | "appendRule" | "replaceRule" | "enableRule">;

const collectRules = (
  order: Order,
  fieldsOf: (source: string) => FieldCheck,
  warnUnknownSource: (source: string, context: Context) => void,
): Rules => {
  const rules = new Map<string, RuleItem>();
  const previous = (update: RuleUpdate, message: string): RuleItem => {
    const before = rules.get(update.name) ?? refuse(message, update.context);
    if (update.source !== undefined && update.source !== before.source) refuse(otherSource, update.context);
    return before;
  };
  return {
    rules,
    defineRule: (item) => {
      const before = rules.get(item.name);
      if (before !== undefined && before.source !== item.source) refuse(otherSource, item.context);
      const known = fieldsOf(item.source);
      if (known === undefined) warnUnknownSource(item.source, item.context);
      order.define(rules, {
        ...item,
        unknownSource: known === undefined,
        exceptions: item.exceptions.map((exception) => validateException(exception, known)),
      });
    },
    appendRule: (update) => {
      const before = previous(
        update,
        "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists",
      );
      if (isEmpty(update)) refuse("Appended rule must have exceptions or condition property", update.context);
      order.touch(rules, appended(before, update, fieldsOf(before.source)));
    },
    replaceRule: (update) => {
      const before = previous(
        update,
        "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists",
      );
      const given = givenBy(update);
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      order.touch(rules, { ...before, ...changes });
    },
    enableRule: (name, enabled, context) => {
      const before =
        rules.get(name) ?? refuse("Rule has 'enabled' key but no rule by that name already exists", context);
      rules.set(name, { ...before, enabled });
    },
  };
};

type Required = Pick<Collector, "requirements" | "required" | "requireEngine" | "requirePlugin">;

const collectRequired = (): Required => {
  const requirements: (readonly PluginRequirement[])[] = [];
  let required: Version | undefined;
  return {
    requirements,
    required: () => required,
    requireEngine: (version, context) => {
      if (!isCompatible(engineVersion, version))
        refuse(`Rules require engine version ${version.text}, but engine version is ${engineVersion.text}`, context);
      if (required === undefined || compareVersions(required, version) < 0) required = version;
    },
    requirePlugin: (alternatives, context) => {
      const seen = new Set<string>();
      for (const { name, version } of alternatives) {
        if (parseVersion(version) === undefined)
          refuse(`Invalid required version '${version}' for plugin '${name}'`, context);
        if (seen.has(name)) refuse(`Defined multiple alternative version requirements for plugin '${name}'`, context);
        seen.add(name);
      }
      requirements.push(alternatives);
    },
  };
};

export const createCollector = (
  fieldsOf: (source: string) => FieldCheck,
  warnUnknownSource: (source: string, context: Context) => void,
): Collector => {
  const order = createOrder();
  return { ...collectNamed(order), ...collectRules(order, fieldsOf, warnUnknownSource), ...collectRequired() };
};

/** What an update changes: all of it but which rule it is about. */
const givenBy = ({ name: _name, context: _context, source: _source, ...given }: RuleUpdate) => given;

const isEmpty = (update: RuleUpdate): boolean => Object.values(givenBy(update)).every((value) => value === undefined);

const joined = (before: string, more: string | undefined): string => (more ? `${before} ${more}` : before);

const appended = (before: RuleItem, update: RuleUpdate, known: FieldCheck): RuleItem => ({
  ...before,
  condition: joined(before.condition, update.condition),
  output: joined(before.output, update.output),
  description: joined(before.description, update.description),
  tags: update.tags === undefined ? before.tags : tagSet([...before.tags, ...update.tags]),
  exceptions: (update.exceptions ?? []).reduce(
    (exceptions, exception) => appendException(exceptions, exception, known),
    before.exceptions,
  ),
});

const appendException = (
  exceptions: readonly ExceptionItem[],
  exception: ExceptionItem,
  known: FieldCheck,
): readonly ExceptionItem[] => {
  const { context } = exception;
  const at = exceptions.findIndex((other) => other.name === exception.name);
  const before = exceptions[at];
  if (before === undefined) {
    if (exception.fields === undefined)
      refuse("Rule exception must have fields property with a list of fields", context);
    if (exception.values.length === 0)
      refuse("Rule exception must have values property with a list of values", context);
    return [...exceptions, validateException(exception, known)];
  }
  if (exception.fields !== undefined)
    refuse("Can not append exception fields to existing exception, only values", context);
  if (exception.comps !== undefined)
    refuse("Can not append exception comps to existing exception, only values", context);
  return exceptions.with(at, { ...before, values: [...before.values, ...exception.values] });
};
