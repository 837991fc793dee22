import type { Plan, PlanCheck } from "../bind/plan.ts";

/** The field that most rules demand a value of before anything else can be true. */
export interface Dispatch {
  readonly slot: number;
  /** The values that are demanded; undefined stands for none being there. */
  readonly values: Values;
}

type Values = ReadonlySet<string | undefined>;

/** Values that a condition needs in a slot to be true; undefined: it does not say. */
const demanded = (plan: Plan, slot: number): Values | undefined => {
  switch (plan.kind) {
    case "and": {
      let all: Values | undefined;
      for (const child of plan.children) {
        const here = demanded(child, slot);
        if (here !== undefined) all = all === undefined ? here : all.intersection(here);
      }
      return all;
    }
    case "or": {
      const all = new Set<string | undefined>();
      for (const child of plan.children) {
        const here = demanded(child, slot);
        if (here === undefined) return undefined;
        for (const value of here) all.add(value);
      }
      return all;
    }
    case "not":
      return plan.child.kind === "check" && plan.child.right === undefined && isText(plan.child, slot)
        ? missing
        : undefined;
    case "check":
      return checked(plan, slot);
  }
};

const missing: Values = new Set([undefined]);

/** Whether the check is about the one text of the slot. */
const isText = ({ left }: PlanCheck, slot: number): boolean =>
  left.kind === "slot" && left.slot === slot && !left.list && left.type === "string";

const checked = (check: PlanCheck, slot: number): Values | undefined => {
  const { right, operator } = check;
  if (!isText(check, slot)) return undefined;
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
  let best: (Dispatch & { gain: number }) | undefined;
  for (const slot of slots) {
    const sets = plans.flatMap((plan) => demanded(plan, slot) ?? []);
    const values = new Set(sets.flatMap((set) => [...set]));
    if (values.size === 0 || values.size > mostValues) continue;
    // Rules that a value spares, summed over the values.
    const gain = sets.reduce((sum, set) => sum + values.size - set.size + 1, 0) / values.size;
    if (best === undefined || gain > best.gain) best = { slot, values, gain };
  }
  return best === undefined || best.gain < 2 ? undefined : best;
};

const mostValues = 64;
