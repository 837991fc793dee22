import type { Plan, PlanCheck } from "../bind/plan.ts";
import { hasNoMembers } from "./closures.ts";
import { compileTest } from "./tests.ts";

/** What is known of the text in a slot: that it is this, is missing, or is there and none of those. */
export type Known =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "other"; readonly than: ReadonlySet<string | undefined> };

/** What is left to decide of a condition; true or false where nothing is. */
export const specialise = (plan: Plan, slot: number, known: Known): Plan | boolean => {
  switch (plan.kind) {
    case "check":
      return decide(plan, slot, known) ?? plan;
    case "not": {
      const child = specialise(plan.child, slot, known);
      if (typeof child === "boolean") return !child;
      return child === plan.child ? plan : { kind: "not", child };
    }
    default: {
      const settles = plan.kind === "or";
      const left: Plan[] = [];
      for (const child of plan.children) {
        const rest = specialise(child, slot, known);
        if (rest === settles) return settles;
        if (typeof rest !== "boolean") left.push(rest);
      }
      if (left.length === 0) return !settles;
      if (left.length === 1) return left[0] as Plan;
      return left.every((child, n) => child === plan.children[n]) && left.length === plan.children.length
        ? plan
        : { kind: plan.kind, children: left };
    }
  }
};

const decide = (check: PlanCheck, slot: number, known: Known): boolean | undefined => {
  if (hasNoMembers(check)) return false;
  const { left, right, operator, quantifier } = check;
  if (left.kind !== "slot" || left.slot !== slot || left.list || left.type !== "string") return undefined;
  if (right === undefined) return known.kind !== "missing";
  if (known.kind === "missing") return false;
  if (right.kind !== "constants") return undefined;
  if (known.kind === "text") return compileTest(check, right)(known.text);
  const { than } = known;
  if (quantifier !== undefined || !right.values.every((value) => than.has(String(value)))) return undefined;
  if (operator === "=" || operator === "in" || operator === "intersects") return false;
  return operator === "!=" && right.values.length === 1 ? true : undefined;
};
