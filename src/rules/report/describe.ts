import { compareBytewise } from "../../sdk/bytewise.ts";
import type { CompiledRule } from "../compile.ts";
import type { Collector } from "../file/collect.ts";
import { putLists, type ReadyList, readyLists, withExceptions } from "../file/expand.ts";
import type { Entry, ListItem, MacroItem, RuleItem } from "../file/items.ts";
import { putMacros, type ReadyMacros, visibleMacros } from "../file/macros.ts";
import type { Expression, Operand, Right } from "../syntax/ast.ts";
import { conditionText } from "../syntax/ast-text.ts";
import { parseCondition } from "../syntax/parse.ts";

/** What Falco prints for `-L` with `json_output`; where its sets have no order, names are sorted. */
export interface Description {
  readonly required_engine_version?: string;
  readonly required_plugin_versions?: readonly unknown[];
  readonly rules: readonly Described[];
  readonly macros?: readonly Described[];
  readonly lists?: readonly Described[];
}

interface Described {
  readonly info: Readonly<Record<string, unknown>>;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The kinds of events that plugins produce; names of kernel events are not known here. */
const pluginEvents = ["asyncevent", "pluginevent"];

/**
 * The definitions of all files, or one rule of them; undefined: no rule of that name compiled. `pluginOf`: the plugin that
 * brings a source's events.
 */
export const describeDefinitions = (
  collector: Collector,
  rules: readonly CompiledRule<unknown>[],
  pluginOf: (source: string) => string | undefined,
  only?: string,
): Description | undefined => {
  const scene = sceneOf(collector);
  if (only !== undefined) {
    const found = rules.find((rule) => rule.item.name === only);
    return found && { rules: [describeRule(found, scene, pluginOf)] };
  }
  const described = rules.map((rule) => describeRule(rule, scene, pluginOf));
  const macros = Array.from(collector.macros.values(), (item) => describeMacro(item, scene));
  return {
    required_engine_version: collector.required()?.text ?? "0.0.0",
    required_plugin_versions: collector.requirements.map(([first, ...alternatives]) => ({ ...first, alternatives })),
    rules: described,
    macros,
    lists: Array.from(collector.lists.values(), (item) => describeList(item, scene)),
  };
};

interface Scene {
  readonly collector: Collector;
  readonly lists: readonly ReadyList[];
  readonly macros: ReadyMacros;
  readonly usedLists: ReadonlySet<string>;
  readonly usedMacros: ReadonlySet<string>;
}

const parsed = (text: string): Expression | undefined => {
  const result = parseCondition(text);
  return result.ok ? result.value : undefined;
};

/** Lists and macros made ready once more, as compiling does, and which of them anything refers to. */
const sceneOf = (collector: Collector): Scene => {
  const usedLists = new Set<string>();
  const usedMacros = new Set<string>();
  const lists = readyLists(collector.lists, (name) => usedLists.add(name));
  const made = new Map<string, Expression | undefined>();
  for (const item of collector.macros.values())
    made.set(item.name, parsed(putLists(item.condition, lists, (name) => usedLists.add(name))));
  for (const item of collector.macros.values()) {
    const body = made.get(item.name);
    if (body === undefined) continue;
    const put = putMacros(body, visibleMacros(collector.macros, made, item.visibility), (name) => usedMacros.add(name));
    made.set(item.name, put === "poisoned" || "message" in put ? undefined : put);
  }
  const scene = { collector, lists, macros: visibleMacros(collector.macros, made), usedLists, usedMacros };
  for (const item of collector.rules.values())
    if (!item.unknownSource)
      compiled(
        withExceptions(item.condition, item.exceptions),
        scene,
        (name) => usedLists.add(name),
        (name) => usedMacros.add(name),
      );
  return scene;
};

const ignore = (): void => undefined;

const compiled = (
  text: string,
  scene: Pick<Scene, "lists" | "macros">,
  usesList: (name: string) => void = ignore,
  usesMacro: (name: string) => void = ignore,
): Expression | undefined => {
  const expression = parsed(putLists(text, scene.lists, usesList));
  if (expression === undefined) return undefined;
  const put = putMacros(expression, scene.macros, usesMacro);
  return put === "poisoned" || "message" in put ? undefined : put;
};

interface Used {
  readonly fields: Set<string>;
  readonly operators: Set<string>;
  readonly macros: Set<string>;
  readonly values: Set<string>;
}

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].sort(compareBytewise);

/** What a condition is made of; macros only where they were not put in. */
const usedBy = (expression: Expression | undefined): Used => {
  const used: Used = { fields: new Set(), operators: new Set(), macros: new Set(), values: new Set() };
  const visit = (node: Expression): void => {
    if (node.kind === "not") visit(node.child);
    else if (node.kind === "macro") used.macros.add(node.name);
    else if (node.kind !== "check") node.children.forEach(visit);
    else {
      used.operators.add(node.modifier === undefined ? node.operator : `${node.operator} ${node.modifier}`);
      operand(node.left);
      if (node.right !== undefined) operand(node.right);
    }
  };
  const operand = (node: Operand | Right): void => {
    if (node.kind === "field") used.fields.add(node.arg ? `${node.name}[${node.arg}]` : node.name);
    else if (node.kind === "transform") node.args.forEach(operand);
    else if (node.kind === "list") node.items.forEach(operand);
    else if (node.kind === "values") for (const value of node.values) used.values.add(value);
  };
  if (expression !== undefined) visit(expression);
  return used;
};

const conditionDetails = (written: string, whole: Expression | undefined, scene: Scene) => {
  const raw = usedBy(parsed(written));
  const full = usedBy(whole);
  return {
    condition_compiled: whole === undefined ? "" : conditionText(whole),
    condition_fields: sorted(full.fields),
    condition_operators: sorted(full.operators),
    events: pluginEvents,
    lists: sorted([...raw.values].filter((value) => scene.collector.lists.has(value))),
    macros: sorted([...raw.macros].filter((name) => scene.collector.macros.has(name))),
  };
};

const flat = (entry: Entry | undefined): readonly string[] =>
  entry === undefined ? [] : typeof entry === "string" ? [entry] : entry.flatMap(flat);

const describeRule = (
  { item, condition, output }: CompiledRule<unknown>,
  scene: Scene,
  pluginOf: (source: string) => string | undefined,
): Described => {
  const details = conditionDetails(item.condition, compiled(condition, scene), scene);
  const output_fields = output.fields.map((field) => field.title);
  const exception_fields = sorted(item.exceptions.flatMap((exception) => flat(exception.fields)));
  return {
    info: infoOf(item),
    details: {
      ...details,
      events: item.source === "syscall" ? [] : details.events,
      exception_fields,
      exception_names: sorted(item.exceptions.map((exception) => exception.name)),
      exception_operators: sorted(item.exceptions.flatMap((exception) => flat(exception.comps))),
      output_compiled: output.written,
      output_fields,
      plugins: pluginsOf(pluginOf(item.source), [...details.condition_fields, ...output_fields, ...exception_fields]),
    },
  };
};

const infoOf = (item: RuleItem) => ({
  capture: item.capture,
  capture_duration: item.captureDuration,
  condition: item.condition,
  description: item.description,
  enabled: item.enabled,
  name: item.name,
  output: item.output,
  priority: item.priority,
  source: item.source,
  tags: item.tags,
});

const pluginsOf = (bringing: string | undefined, fields: readonly string[]): readonly string[] => [
  ...(fields.some((field) => /(?:^|[^\w.])(?:json|jevt)\./.test(field)) ? ["json"] : []),
  ...(bringing === undefined ? [] : [bringing]),
];

const describeMacro = (item: MacroItem, scene: Scene): Described => ({
  info: { condition: item.condition, name: item.name },
  details: {
    ...conditionDetails(item.condition, scene.macros.get(item.name), scene),
    plugins: [],
    used: scene.usedMacros.has(item.name),
  },
});

const describeList = (item: ListItem, scene: Scene): Described => {
  const known = item.items.filter((each) => scene.collector.lists.has(each));
  return {
    info: { items: item.items.filter((each) => !known.includes(each)), name: item.name },
    details: {
      items_compiled: scene.lists.find((list) => list.name === item.name)?.items ?? [],
      lists: known,
      plugins: [],
      used: scene.usedLists.has(item.name),
    },
  };
};

const nameWidth = 50;
const lineWidth = 110;

/** What `-L` and `-l` print for people: two columns, the description wrapped at words. */
export const textDescription = (description: Description): string =>
  [
    columns("Rule", "Description"),
    columns("----", "-----------"),
    ...description.rules.map(({ info }) => `${columns(String(info.name), wrapped(String(info.description)))}\n`),
  ].join("");

const columns = (name: string, text: string): string => `${name.padEnd(nameWidth)} ${text}\n`;

const wrapped = (text: string): string => {
  const room = lineWidth - nameWidth - 1;
  let length = 0;
  let made = "";
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    if (length > 0 && length + 1 + word.length > room) {
      made += `\n${" ".repeat(nameWidth + 1)}`;
      length = 0;
    }
    made += length === 0 ? word : ` ${word}`;
    length += word.length + (length === 0 ? 0 : 1);
  }
  return made;
};
