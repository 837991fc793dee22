import type { Plan } from "../bind/plan.ts";
import { emitCheck } from "./emit-check.ts";
import { createNames, type Names } from "./emit-names.ts";

export interface Program {
  readonly code: string;
  /** What the code knows as `constants`. */
  readonly constants: readonly unknown[];
}

/** A program for the rules with these conditions, tried in this order; the values of the slots `given` are handed to it. */
export const emitProgram = (plans: readonly Plan[], matching: "first" | "all", given: readonly number[]): Program => {
  const names = createNames(given);
  for (const plan of plans) countUses(plan, names);
  const tests = plans.map((plan) => emitPlan(plan, names));
  const body = tests
    .map((test, n) =>
      matching === "first"
        ? `if(${test})return one[${n}];`
        : `if(${test}){if(found===none)found=[rules[${n}]];else found.push(rules[${n}]);}`,
    )
    .join("\n");
  const code = [
    `"use strict";`,
    names.prelude(),
    `const one=rules.map((rule)=>Object.freeze([rule]));`,
    `return (event,given)=>{`,
    names.locals(),
    ...(matching === "all" ? ["let found=none;"] : []),
    body,
    `return ${matching === "all" ? "found" : "none"};`,
    "};",
  ].join("\n");
  return { code, constants: names.constants };
};

/** How often each condition stands in the program: what stands twice is decided once and remembered. */
const countUses = (plan: Plan, names: Names): void => {
  if (names.use(plan) > 1) return;
  if (plan.kind === "not") countUses(plan.child, names);
  else if (plan.kind !== "check") for (const child of plan.children) countUses(child, names);
};

const emitPlan = (plan: Plan, names: Names): string => {
  const test = (): string => {
    switch (plan.kind) {
      case "and":
        return plan.children.length === 0 ? "true" : `(${emitChain(plan.children, names).join("&&")})`;
      case "or":
        return plan.children.length === 0 ? "false" : `(${emitChain(plan.children, names).join("||")})`;
      case "not":
        return `!(${emitPlan(plan.child, names)})`;
      case "check":
        return `(${emitCheck(plan, names)})`;
    }
  };
  return names.shared(plan, test);
};

/** Of a chain the first part runs for sure; each other one knows that those before it did. */
const emitChain = ([first, ...rest]: readonly Plan[], names: Names): readonly string[] =>
  first === undefined
    ? []
    : [emitPlan(first, names), ...names.perhaps(() => rest.map((child) => emitPlan(child, names)))];
