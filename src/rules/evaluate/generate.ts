import { hash } from "node:crypto";
import type { Plan } from "../bind/plan.ts";
import type { Slots } from "../bind/slots.ts";
import type { CompiledRule } from "../compile.ts";
import { chooseDispatch } from "./dispatch.ts";
import { emitProgram } from "./emit.ts";
import { valueKey } from "./emit-names.ts";
import type { Matcher } from "./matcher.ts";
import { type Known, specialise } from "./specialise.ts";

/**
 * The fast path: rules as programs in which a field is read and a condition decided at most once per event. Fields that most
 * rules demand a value of are read first, and what their values leave of the rules is a program of its own, made when the
 * first such event comes. Programs are made of numbers and fixed words; every text of a rule reaches them as a parameter.
 * Undefined: code generation is forbidden here (`--disallow-code-generation-from-strings`).
 */
export const generateMatcher = (
  rules: readonly CompiledRule<unknown>[],
  slots: Slots<unknown>,
  matching: "first" | "all",
): Matcher | undefined => {
  const reads = slots.bound.map((bound) => bound.compared);
  const programs = createPrograms(rules, reads, matching);
  let root: Node;
  try {
    // Programs are made later, but whether they may be has to show here.
    new Function("");
    const whole = rules.map(({ plan }, rule) => ({ rule, plan }));
    root = createTree(reads, programs.compile)(whole.flatMap((each) => settled(each, slots)));
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
  const evaluated = { generated: 0, closures: 0 };
  const given: unknown[] = Array.from({ length: mostSteps });
  return {
    mode: "generated",
    evaluated,
    get code() {
      return programs.code();
    },
    match: (event) => {
      evaluated.generated++;
      let node = root;
      for (let step = 0; node.run === undefined; step++) {
        const value = node.read(event);
        given[step] = value;
        node = branch(node, value);
      }
      return node.run(event, given);
    },
  };
};

type Read = (event: unknown) => unknown;
type Compile = (left: readonly Left[], given: readonly number[]) => Run;

/** Programs, each made once; `given` are the slots whose values they are handed. */
const createPrograms = (
  rules: readonly CompiledRule<unknown>[],
  reads: readonly Read[],
  matching: "first" | "all",
): { readonly compile: Compile; code(): string } => {
  const programs = new Map<string, Run>();
  const codes: string[] = [];
  const keys = new WeakMap<Plan, string>();
  /** Most conditions are left as they are at most steps, and need be written once. */
  const keyOf = (plan: Plan): string => {
    const key = keys.get(plan) ?? hash("sha256", valueKey(plan));
    keys.set(plan, key);
    return key;
  };
  const compile: Compile = (left, given) => {
    const written = left.map(({ rule, plan }) => `${rule} ${keyOf(plan)}`);
    const key = hash("sha256", [given.join(), ...written].join("\n"));
    const known = programs.get(key);
    if (known !== undefined) return known;
    const { code, constants } = emitProgram(
      left.map(({ plan }) => plan),
      matching,
      given,
    );
    const make = new Function("read", "constants", "rules", "none", code);
    const run: Run = make(
      reads,
      constants,
      left.map(({ rule }) => rules[rule]),
      none,
    );
    codes.push(code);
    programs.set(key, run);
    return run;
  };
  return { compile, code: () => codes.join("\n") };
};

/** The tree of what is read before a program runs; it grows as events come. */
const createTree = (reads: readonly Read[], compile: Compile): ((left: readonly Left[]) => Node) => {
  let nodes = 0;
  const grow = (left: readonly Left[], given: readonly number[]): Node => {
    nodes++;
    const plans = left.map(({ plan }) => plan);
    const dispatch = given.length < mostSteps && left.length > fewRules ? chooseDispatch(plans) : undefined;
    if (dispatch === undefined) return { run: compile(left, given) };
    const { slot, values } = dispatch;
    const path = [...given, slot];
    const narrow = (known: Known): Node =>
      grow(
        left.flatMap((each) => restOf(each, slot, known)),
        path,
      );
    let all: Node | undefined;
    const whole = (): Node => {
      all ??= { run: compile(left, given) };
      return all;
    };
    return {
      read: reads[slot] as Read,
      branches: new Map(
        Array.from(values.union(missing), (text) => [
          text,
          { known: text === undefined ? { kind: "missing" } : { kind: "text", text } },
        ]),
      ),
      other: { known: { kind: "other", than: values } },
      narrow: (known) => (nodes < mostNodes ? narrow(known) : whole()),
    };
  };
  return (left) => grow(left, []);
};

/** A rule by its number, with what is left to decide of its condition. */
interface Left {
  readonly rule: number;
  readonly plan: Plan;
}

/** What is left of a rule once a slot is known; nothing where it cannot match any more. */
const restOf = ({ rule, plan }: Left, slot: number, known: Known): readonly Left[] => {
  const rest = specialise(plan, slot, known);
  return rest === false ? [] : [{ rule, plan: rest === true ? always : rest }];
};

/** What is left of a rule for any event: macros that are always or never true ask for a field that every event has. */
const settled = (whole: Left, { bound }: Slots<unknown>): readonly Left[] =>
  bound.reduce<readonly Left[]>(
    (left, { field }, slot) => (field.always ? left.flatMap((each) => restOf(each, slot, present)) : left),
    restOf(whole, -1, present),
  );

const present: Known = { kind: "other", than: new Set() };

type Node = Leaf | Fork;

interface Leaf {
  readonly run: Run;
}

interface Fork {
  readonly run?: undefined;
  readonly read: Read;
  /** By text, undefined for a missing one. */
  readonly branches: ReadonlyMap<unknown, Way>;
  readonly other: Way;
  readonly narrow: (known: Known) => Node;
}

interface Way {
  readonly known: Known;
  /** Made when the first event comes this way. */
  node?: Node;
}

type Run = (event: unknown, given: readonly unknown[]) => readonly CompiledRule<unknown>[];

const branch = ({ branches, other, narrow }: Fork, value: unknown): Node => {
  const way = branches.get(value) ?? other;
  way.node ??= narrow(way.known);
  return way.node;
};

const missing: ReadonlySet<string | undefined> = new Set([undefined]);
const always: Plan = { kind: "and", children: [] };
const none: readonly CompiledRule<unknown>[] = Object.freeze([]);

/** Fields read ahead of a program. */
const mostSteps = 4;
/** So few rules need no further choice. */
const fewRules = 12;
/** Programs take memory: beyond so many the rest share. */
const mostNodes = 1024;
