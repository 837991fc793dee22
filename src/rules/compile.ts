import { FormatFault } from "./alert/output.ts";
import { outputOf, type RuleOutput } from "./alert/rule-output.ts";
import { bindCondition } from "./bind/bind.ts";
import type { Plan } from "./bind/plan.ts";
import { isDoubtful, type Slots } from "./bind/slots.ts";
import { comparesWithMissing, fieldNames, looksAtDirection } from "./bind/suspects.ts";
import type { Collector } from "./file/collect.ts";
import type { RuleConfig } from "./file/config.ts";
import { type Context, conditionPlace, inCondition, nowhere } from "./file/context.ts";
import { putLists, type ReadyList, readyLists, withExceptions } from "./file/expand.ts";
import type { MacroItem, RuleItem } from "./file/items.ts";
import { putMacros, type ReadyMacros, visibleMacros } from "./file/macros.ts";
import { RulesError } from "./file/problem.ts";
import type { Warn } from "./file/read-exceptions.ts";
import type { Expression } from "./syntax/ast.ts";
import { parseCondition } from "./syntax/parse.ts";

export interface CompiledRule<E> {
  readonly item: RuleItem;
  /** The condition with exceptions, as it was compiled. */
  readonly condition: string;
  readonly plan: Plan;
  readonly output: RuleOutput<E>;
}

/** Which sources there are, and their fields. */
export type SlotsOf = (source: string) => Slots<unknown> | undefined;
export type Complain = (error: RulesError) => void;

/** Compiles everything collected so far: lists, macros, rules in order of definition. Every fault is reported; what has one is left out. */
export const compileAll = (
  collector: Collector,
  slotsOf: SlotsOf,
  config: RuleConfig,
  warn: Warn,
  complain: Complain,
): readonly CompiledRule<unknown>[] => {
  const usedLists = new Set<string>();
  const usedMacros = new Set<string>();
  const lists = readyLists(collector.lists, (name) => usedLists.add(name));
  const parse = (text: string, context: Context): { expression: Expression; parsed: string } =>
    parseWith(text, lists, context, (name) => usedLists.add(name));

  const macros = compileMacros(collector.macros, parse, (name) => usedMacros.add(name), complain);
  const everything = visibleMacros(collector.macros, macros);
  const made: CompiledRule<unknown>[] = [];
  for (const item of collector.rules.values()) {
    const slots = item.unknownSource ? undefined : slotsOf(item.source);
    if (slots === undefined) continue;
    try {
      const rule = compileRule(item, slots, config, parse, everything, (name) => usedMacros.add(name), warn);
      if (rule !== undefined) made.push(rule);
    } catch (error) {
      complain(asFault(error, item.conditionContext));
    }
  }
  for (const item of collector.macros.values())
    if (!usedMacros.has(item.name))
      warn("LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro", item.context);
  for (const item of collector.lists.values())
    if (!usedLists.has(item.name))
      warn("LOAD_UNUSED_LIST", "List not referred to by any other rule/macro", item.context);
  return made;
};

/** A condition that is too long or too deep once its lists and macros are in is a fault like any other. */
const asFault = (error: unknown, context: Context): RulesError => {
  if (error instanceof RulesError) return error;
  if (error instanceof RangeError)
    return new RulesError("LOAD_ERR_COMPILE_CONDITION", "condition too large or too deep", context);
  throw error;
};

type Parse = (text: string, context: Context) => { expression: Expression; parsed: string };
type Used = (name: string) => void;

const parseWith = (
  text: string,
  lists: readonly ReadyList[],
  context: Context,
  used: Used,
): { expression: Expression; parsed: string } => {
  const parsed = putLists(text, lists, used);
  const result = parseCondition(parsed);
  if (result.ok) return { expression: result.value, parsed };
  throw new RulesError(
    "LOAD_ERR_COMPILE_CONDITION",
    result.message,
    inCondition(context, parsed, conditionPlace(parsed, result.at)),
  );
};

/** Macros are parsed first, all of them, then put into one another in order of definition. */
const compileMacros = (
  items: ReadonlyMap<string, MacroItem>,
  parse: Parse,
  used: Used,
  complain: Complain,
): ReadyMacros => {
  const ready = new Map<string, Expression | undefined>();
  const texts = new Map<string, string>();
  const attempt = (item: MacroItem, work: () => Expression | undefined): void => {
    try {
      ready.set(item.name, work());
    } catch (error) {
      ready.set(item.name, undefined);
      complain(asFault(error, item.conditionContext));
    }
  };
  for (const item of items.values())
    attempt(item, () => {
      const { expression, parsed } = parse(item.condition, item.conditionContext);
      texts.set(item.name, parsed);
      return expression;
    });
  for (const item of items.values()) {
    const expression = ready.get(item.name);
    if (expression === undefined) continue;
    attempt(item, () => {
      const visible = visibleMacros(items, ready, item.visibility);
      return resolve(expression, visible, used, item.condition, texts.get(item.name) ?? "", item.context);
    });
  }
  return ready;
};

const resolve = (
  expression: Expression,
  macros: ReadyMacros,
  used: Used,
  text: string,
  parsed: string,
  context: Context,
): Expression | undefined => {
  const made = putMacros(expression, macros, used);
  if (made === "poisoned") return undefined;
  if (!("message" in made)) return made;
  throw new RulesError("LOAD_ERR_VALIDATE", made.message, inCondition(context, text, conditionPlace(parsed, made.at)));
};

const directionIsDeprecated =
  "due to the drop of enter events, 'evt.dir = <' always evaluates to true, and 'evt.dir = >' always evaluates to false. The rule expression can be simplified by removing the condition on 'evt.dir'";

/** Faults that `skip-if-unknown-filter` turns into a warning. */
const isUnknown = (message: string): boolean =>
  /nonexistent field|invalid formatting token|unknown event type|unknown filter:/.test(message);

const compileRule = (
  item: RuleItem,
  slots: Slots<unknown>,
  config: RuleConfig,
  parse: Parse,
  macros: ReadyMacros,
  used: Used,
  warn: Warn,
): CompiledRule<unknown> | undefined => {
  const condition = withExceptions(item.condition, item.exceptions);
  let output: RuleOutput<unknown>;
  try {
    output = outputOf(item, slots, config, warn);
  } catch (error) {
    if (!(error instanceof FormatFault)) throw error;
    if (item.skipIfUnknownFilter && isUnknown(error.message)) {
      warn("LOAD_UNKNOWN_FILTER", error.message, item.outputContext);
      return undefined;
    }
    throw new RulesError("LOAD_ERR_COMPILE_OUTPUT", error.message, item.outputContext);
  }
  const context = item.conditionContext;
  const { expression, parsed } = parse(condition, context);
  const resolved = resolve(expression, macros, used, condition, parsed, item.context);
  if (resolved === undefined) return undefined;
  if (comparesWithMissing(resolved)) warn("LOAD_UNSAFE_NA_CHECK", "", inCondition(context, condition, nowhere));
  if (looksAtDirection(resolved))
    warn("LOAD_DEPRECATED_ITEM", directionIsDeprecated, inCondition(context, condition, nowhere), "evt.dir");
  const bound = bindCondition(resolved, slots);
  const place = (at: number): Context => inCondition(context, condition, conditionPlace(parsed, at));
  if (!bound.ok) {
    const { message, at } = bound.fault;
    if (item.skipIfUnknownFilter && isUnknown(message)) {
      warn("LOAD_UNKNOWN_FILTER", message, place(at));
      return undefined;
    }
    throw new RulesError("LOAD_ERR_COMPILE_CONDITION", message, place(at));
  }
  for (const warning of bound.warnings) warn("LOAD_COMPILE_CONDITION", warning.message, place(warning.at));
  warnDoubts(fieldNames(resolved), slots, inCondition(context, condition, nowhere), warn);
  warnDoubts(new Set(output.fields.map(({ field }) => field.name)), slots, item.outputContext, warn);
  return { item, condition, plan: bound.plan, output };
};

/** Fields that are taken on trust though no such field is known: for Falco itself they would be an error. */
const warnDoubts = (names: ReadonlySet<string>, { catalog }: Slots<unknown>, context: Context, warn: Warn): void => {
  for (const name of names)
    if (isDoubtful(catalog, name))
      warn("LOAD_UNKNOWN_FILTER", `no field ${name} of source ${catalog.source} is known: taken on trust`, context);
};
