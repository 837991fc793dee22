import type { Check, Expression, Operand, Right } from "../syntax/ast.ts";

const compared = new Set(["=", "==", "!=", "in", "intersects", "pmatch"]);

const visitChecks = (condition: Expression, visit: (check: Check) => void): void => {
  if (condition.kind === "check") visit(condition);
  else if (condition.kind === "not") visitChecks(condition.child, visit);
  else if (condition.kind !== "macro") for (const child of condition.children) visitChecks(child, visit);
};

const someCheck = (condition: Expression, test: (check: Check) => boolean): boolean => {
  let found = false;
  visitChecks(condition, (check) => {
    found ||= test(check);
  });
  return found;
};

/** Names of the fields that a condition reads, without arguments. */
export const fieldNames = (condition: Expression): ReadonlySet<string> => {
  const names = new Set<string>();
  const take = (node: Operand | Right): void => {
    if (node.kind === "field") names.add(node.name);
    else if (node.kind === "transform") node.args.forEach(take);
    else if (node.kind === "list") node.items.forEach(take);
  };
  visitChecks(condition, ({ left, right }) => {
    take(left);
    if (right !== undefined) take(right);
  });
  return names;
};

/** Whether a check compares an audit field with `<NA>`, which is printed and never a value. */
export const comparesWithMissing = (condition: Expression): boolean =>
  someCheck(
    condition,
    ({ left, right, operator }) =>
      left.kind === "field" &&
      /^(?:ka|jevt)\./.test(left.name) &&
      compared.has(operator) &&
      right?.kind === "values" &&
      right.values.includes("<NA>"),
  );

/** Whether a check looks at `evt.dir`, which kernel events have lost. */
export const looksAtDirection = (condition: Expression): boolean =>
  someCheck(condition, ({ left }) => left.kind === "field" && left.name === "evt.dir");
