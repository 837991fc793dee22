import type { Check, Expression } from "./ast.ts";

const compared = new Set(["=", "==", "!=", "in", "intersects", "pmatch"]);

/** How many checks pass the test. */
const countChecks = (condition: Expression, test: (check: Check) => boolean): number => {
  switch (condition.kind) {
    case "and":
    case "or":
      return condition.children.reduce((n, child) => n + countChecks(child, test), 0);
    case "not":
      return countChecks(condition.child, test);
    case "macro":
      return 0;
    case "check":
      return test(condition) ? 1 : 0;
  }
};

/** Whether a check compares an audit field with `<NA>`, which is printed and never a value. */
export const comparesWithMissing = (condition: Expression): boolean =>
  countChecks(
    condition,
    ({ left, right, operator }) =>
      left.kind === "field" &&
      /^(?:ka|jevt)\./.test(left.name) &&
      compared.has(operator) &&
      right?.kind === "values" &&
      right.values.includes("<NA>"),
  ) > 0;

/** Whether a check looks at `evt.dir`, which kernel events have lost. */
export const looksAtDirection = (condition: Expression): boolean =>
  countChecks(condition, ({ left }) => left.kind === "field" && left.name === "evt.dir") > 0;
