import type { Check, Expression, Operand, Right, Transform } from "../syntax/ast.ts";
import { checkOperator, normalOperator, typeName } from "./comparable.ts";
import { parseConstant } from "./constants.ts";
import type { Apply, Constants, Extract, Plan, Quantifier, Transformer } from "./plan.ts";
import { FieldFault, type Slots } from "./slots.ts";
import { valueWarnings } from "./value-warnings.ts";

/** A condition that parses but means nothing; `at` is the index of the check. */
export interface BindFault {
  readonly message: string;
  readonly at: number;
}

export interface BindWarning {
  readonly message: string;
  readonly at: number;
}

export type Bound =
  | { readonly ok: true; readonly plan: Plan; readonly warnings: readonly BindWarning[] }
  | { readonly ok: false; readonly fault: BindFault };

/** Settles fields, types and constants; the first fault in reading order wins. */
export const bindCondition = <E>(condition: Expression, slots: Slots<E>): Bound => {
  const warnings: BindWarning[] = [];
  const bind = (node: Expression): Plan => {
    switch (node.kind) {
      case "and":
      case "or":
        return { kind: node.kind, children: node.children.map(bind) };
      case "not":
        return { kind: "not", child: bind(node.child) };
      case "macro":
        throw new Located(`filter error: unexpected identifier '${node.name}'`, node.at);
      case "check":
        try {
          return bindCheck(node, slots, warnings);
        } catch (error) {
          if (error instanceof FieldFault) throw new Located(error.message, node.at);
          throw error;
        }
    }
  };
  try {
    return { ok: true, plan: bind(condition), warnings };
  } catch (error) {
    if (error instanceof Located) return { ok: false, fault: { message: error.message, at: error.at } };
    throw error;
  }
};

class Located extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const bindCheck = <E>(check: Check, slots: Slots<E>, warnings: BindWarning[]): Plan => {
  const left = bindOperand(check.left, slots);
  const operator = normalOperator(check.operator);
  const checked = checkOperator(operator, left);
  const right = check.right === undefined ? undefined : bindRight(check.right, left, operator, slots, warnings);
  return {
    kind: "check",
    operator: checked,
    left,
    right,
    ...(check.modifier !== undefined && { quantifier: check.modifier as Quantifier }),
  };
};

const bindRight = <E>(
  right: Right,
  left: Extract,
  operator: string,
  slots: Slots<E>,
  warnings: BindWarning[],
): Constants | Extract => {
  if (right.kind === "values") {
    const values = right.values.map((text) => {
      for (const message of valueWarnings(operator, text, slots.catalog)) warnings.push({ message, at: right.at });
      return parseConstant(text, left.type, operator);
    });
    return { kind: "constants", values };
  }
  const made = bindOperand(right, slots);
  if (operator === "regex" || operator === "pmatch")
    throw new FieldFault(`operator '${operator.toUpperCase()}' doesn't support right-hand side fields`);
  if (!isOpen(made) && !isOpen(left) && (made.type !== left.type || made.list !== left.list))
    throw new FieldFault(
      `field '${left.title}' has type '${typeName(left)}' while the right-hand side field '${made.title}' has incompatible type '${typeName(made)}'`,
    );
  return made;
};

export const bindOperand = <E>(operand: Operand, slots: Slots<E>): Extract => {
  switch (operand.kind) {
    case "field": {
      const slot = slots.bind(operand.name, operand.arg);
      const field = slots.bound[slot]?.field;
      if (field === undefined) throw new FieldFault(`filter_check called with nonexistent field ${operand.name}`);
      return { kind: "slot", slot, type: field.type, list: field.list, title: field.name, terminated: false };
    }
    case "literal":
      return {
        kind: "constant",
        value: operand.text,
        type: "string",
        list: false,
        title: operand.text,
        terminated: false,
      };
    case "list": {
      const items = operand.items.map((item) => bindOperand(item, slots));
      return { kind: "several", items, type: "string", list: true, title: "", terminated: false };
    }
    case "transform":
      return bindTransform(operand, slots);
  }
};

/** Taken on trust: it may be of any type, and a list or not. What is made of it is, too, but for its length. */
const isOpen = ({ type }: Pick<Extract, "type">): boolean => type === "any";

const single = new Set(["tolower", "toupper", "b64", "basename", "len"]);

const bindTransform = <E>(node: Transform, slots: Slots<E>): Extract => {
  const args = node.args.map((arg) => bindOperand(arg, slots));
  const [first, second] = args;
  if (first === undefined) throw new FieldFault(`unknown field transfomer '${node.name}'`);
  if (node.arg !== undefined && node.name !== "getopt")
    throw new FieldFault(`filter error: transformer '${node.name}' does not support field arguments`);
  if (node.name === "val") return first;
  if (single.has(node.name)) {
    if (second !== undefined) throw new FieldFault("unknown multivalue transformer");
    return bindSingle(node.name as Transformer, first);
  }
  if (second === undefined) throw new FieldFault(`unknown field transfomer '${node.name}'`);
  return bindSeveral(node, args, first, second);
};

const bindSingle = (transformer: Transformer, of: Extract): Apply => {
  if (of.type !== "string" && !isOpen(of))
    throw new FieldFault(
      `can't add field transformer: type '${typeName({ type: of.type, list: false })}' is not supported by '${transformer}' transformer applied on ${of.list ? "list " : ""}field '${of.title}'`,
    );
  const counts = transformer === "len";
  return {
    kind: "apply",
    transformer,
    args: [of],
    type: counts ? "number" : of.type,
    list: counts ? false : of.list,
    title: of.title,
    terminated: !counts,
  };
};

const bindSeveral = (node: Transform, args: readonly Extract[], first: Extract, second: Extract): Apply => {
  const made = { kind: "apply", args, type: "string", title: first.title || second.title, terminated: false } as const;
  switch (node.name) {
    case "join":
      if (args.length !== 2) throw new FieldFault("join() requires exactly 2 arguments: separator and list");
      if (first.list) throw new FieldFault("join() first argument (separator) must be a single value, not a list");
      if (!second.list && !isOpen(second)) throw new FieldFault("join() second argument must be a list");
      return { ...made, transformer: "join", list: false };
    case "concat":
      if (args.some((arg) => !isOpen(arg) && (arg.list || arg.type !== "string")))
        throw new FieldFault("concat() arguments must be strings");
      return { ...made, transformer: "concat", list: false };
    default: {
      if (args.length !== 2) throw new FieldFault("getopt() requires exactly 2 arguments: args list and optstring");
      if (!first.list && !isOpen(first)) throw new FieldFault("getopt() first argument must be a list");
      if (second.list) throw new FieldFault("getopt() second argument (optstring) must be a single value");
      if ([first, second].some((arg) => arg.type !== "string" && !isOpen(arg)))
        throw new FieldFault("getopt() arguments must be strings");
      if (node.arg === undefined) return { ...made, transformer: "getopt", list: true };
      if (node.arg.length !== 1) throw new FieldFault("getopt() field argument must be a single option character");
      return { ...made, transformer: "getopt", list: false, option: node.arg };
    }
  }
};
