import type { Check, Expression, Operand } from "./ast.ts";

/** A condition as text again, the way Falco writes compiled ones: every junction in parentheses, one blank around words. */
export const conditionText = (node: Expression): string => {
  switch (node.kind) {
    case "and":
    case "or":
      return `(${node.children.map(conditionText).join(` ${node.kind} `)})`;
    case "not":
      return `not ${conditionText(node.child)}`;
    case "macro":
      return node.name;
    case "check":
      return checkText(node);
  }
};

/** Operators whose values are a list, also when it holds one. */
const takesList = ({ operator, modifier }: Check): boolean =>
  modifier !== undefined || ["in", "intersects", "pmatch"].includes(operator);

const checkText = (check: Check): string => {
  const { operator, modifier, left, right } = check;
  const start = `${operandText(left)} ${operator}${modifier === undefined ? "" : ` ${modifier}`}`;
  if (right === undefined) return start;
  if (right.kind !== "values") return `${start} ${operandText(right)}`;
  const values = right.values.map(valueText).join(", ");
  return `${start} ${takesList(check) ? `(${values})` : values}`;
};

const operandText = (operand: Operand): string => {
  switch (operand.kind) {
    case "field":
      return fieldText(operand.name, operand.arg);
    case "transform":
      return `${operand.name}(${operand.args.map(operandText).join(", ")})${operand.arg ? `[${valueText(operand.arg)}]` : ""}`;
    case "literal":
      return valueText(operand.text);
    case "list":
      return `(${operand.items.map(operandText).join(", ")})`;
  }
};

const fieldText = (name: string, arg: string | undefined): string => (arg ? `${name}[${valueText(arg)}]` : name);

const escapes: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\\": "\\\\",
  '"': '\\"',
};

/** Quoted only where the text needs it. */
const valueText = (text: string): string =>
  /[\b\f\n\r\t \\"']/.test(text) ? `"${text.replace(/[\b\f\n\r\t\\"]/g, (c) => escapes[c] ?? c)}"` : text;
