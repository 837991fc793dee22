import type { CompiledRule } from "./compile.ts";
import type { Plan, PlanCheck } from "./plan.ts";

/** The field that most rules demand a value of before anything else can be true. */
export interface Dispatch {
  readonly slot: number;
}

/** Values that a condition needs in a slot to be true; undefined: it does not say. */
const demanded = (plan: Plan, slot: number): ReadonlySet<string> | undefined => {
  switch (plan.kind) {
    case "and": {
      let all: ReadonlySet<string> | undefined;
      for (const child of plan.children) {
        const here = demanded(child, slot);
        if (here !== undefined) all = all === undefined ? here : all.intersection(here);
      }
      return all;
    }
    case "or": {
      const all = new Set<string>();
      for (const child of plan.children) {
        const here = demanded(child, slot);
        if (here === undefined) return undefined;
        for (const value of here) all.add(value);
      }
      return all;
    }
    case "not":
      return undefined;
    case "check":
      return checked(plan, slot);
  }
};

const checked = (check: PlanCheck, slot: number): ReadonlySet<string> | undefined => {
  const { left, right, operator } = check;
  if (left.kind !== "slot" || left.slot !== slot || left.list || left.type !== "string") return undefined;
  if (right?.kind !== "constants" || check.quantifier !== undefined) return undefined;
  if (operator !== "=" && operator !== "in" && operator !== "intersects") return undefined;
  return new Set(right.values.map(String));
};

const slotsIn = (plan: Plan, found: Set<number>): void => {
  if (plan.kind === "check") {
    if (plan.left.kind === "slot") found.add(plan.left.slot);
  } else if (plan.kind === "not") slotsIn(plan.child, found);
  else for (const child of plan.children) slotsIn(child, found);
};

/** Worth it when it sorts out some rules for some value; undefined: no field does. */
export const chooseDispatch = (plans: readonly Plan[]): Dispatch | undefined => {
  const slots = new Set<number>();
  for (const plan of plans) slotsIn(plan, slots);
  let best: { slot: number; gain: number } | undefined;
  for (const slot of slots) {
    const sets = plans.flatMap((plan) => demanded(plan, slot) ?? []);
    const values = new Set(sets.flatMap((set) => [...set]));
    if (values.size === 0 || values.size > mostValues) continue;
    // Rules that a value spares, summed over the values.
    const gain = sets.reduce((sum, set) => sum + values.size - set.size + 1, 0) / values.size;
    if (best === undefined || gain > best.gain) best = { slot, gain };
  }
  return best === undefined || best.gain < 2 ? undefined : { slot: best.slot };
};

const mostValues = 64;

/** Which rules can match for which value of the dispatched field: each distinct set of rules is compiled once. */
export interface Parts {
  readonly sets: readonly (readonly number[])[];
  readonly byValue: ReadonlyMap<string, number>;
  /** The set for every other value, and for none. */
  readonly rest: number;
}

export const dispatchParts = (rules: readonly CompiledRule<unknown>[], dispatch: Dispatch | undefined): Parts => {
  if (dispatch === undefined) return { sets: [rules.map((_, n) => n)], byValue: new Map(), rest: 0 };
  const needs = rules.map((rule) => demanded(rule.plan, dispatch.slot));
  const sets: (readonly number[])[] = [];
  const known = new Map<string, number>();
  const numberOf = (set: readonly number[]): number => {
    const key = set.join();
    const at = known.get(key) ?? sets.push(set) - 1;
    known.set(key, at);
    return at;
  };
  const rest = numberOf(needs.flatMap((need, n) => (need === undefined ? [n] : [])));
  const byValue = new Map<string, number>();
  for (const value of new Set(needs.flatMap((need) => [...(need ?? [])])))
    byValue.set(value, numberOf(needs.flatMap((need, n) => (need === undefined || need.has(value) ? [n] : []))));
  return { sets, byValue, rest };
};
