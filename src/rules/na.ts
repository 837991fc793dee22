import type { Expression } from "./ast.ts";

const compared = new Set(["=", "==", "!=", "in", "intersects", "pmatch"]);

/** How many checks compare an audit field with `<NA>`, which is printed and never a value. */
export const unsafeChecks = (condition: Expression): number => {
  switch (condition.kind) {
    case "and":
    case "or":
      return condition.children.reduce((n, child) => n + unsafeChecks(child), 0);
    case "not":
      return unsafeChecks(condition.child);
    case "macro":
      return 0;
    case "check": {
      const { left, right, operator } = condition;
      if (left.kind !== "field" || !/^(?:ka|jevt)\./.test(left.name) || !compared.has(operator)) return 0;
      return right?.kind === "values" && right.values.includes("<NA>") ? 1 : 0;
    }
  }
};
