/** A condition as it was written. `at` is the index in the parsed text. */
export type Expression = Junction | Negation | MacroUse | Check;

export interface Junction {
  readonly kind: "and" | "or";
  readonly children: readonly Expression[];
  readonly at: number;
}

export interface Negation {
  readonly kind: "not";
  readonly child: Expression;
  readonly at: number;
}

export interface MacroUse {
  readonly kind: "macro";
  readonly name: string;
  readonly at: number;
}

export interface Check {
  readonly kind: "check";
  readonly operator: string;
  /** oneof, anyof, allof: how many of the right-hand values must match. */
  readonly modifier?: string;
  readonly left: Operand;
  readonly right?: Right;
  readonly at: number;
}

export type Right = Values | FieldUse | Transform;

export interface Values {
  readonly kind: "values";
  readonly values: readonly string[];
  readonly at: number;
}

export interface FieldUse {
  readonly kind: "field";
  readonly name: string;
  /** What stood in the brackets; absent: no brackets. */
  readonly arg?: string;
  readonly at: number;
}

export interface Transform {
  readonly kind: "transform";
  readonly name: string;
  readonly args: readonly Operand[];
  readonly arg?: string;
  readonly at: number;
}

export interface Literal {
  readonly kind: "literal";
  readonly text: string;
  readonly at: number;
}

/** A parenthesised list as an argument: `join("-", ("a", ka.verb))`. */
export interface OperandList {
  readonly kind: "list";
  readonly items: readonly Operand[];
  readonly at: number;
}

export type Operand = FieldUse | Transform | Literal | OperandList;
