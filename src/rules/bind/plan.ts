import type { Field, FieldResult } from "../../sdk/catalog.ts";

/** A condition with its fields, types and constants settled: what both compilers start from. */
export type Plan = PlanJunction | PlanNot | PlanCheck;

export interface PlanJunction {
  readonly kind: "and" | "or";
  readonly children: readonly Plan[];
}

export interface PlanNot {
  readonly kind: "not";
  readonly child: Plan;
}

export interface PlanCheck {
  readonly kind: "check";
  readonly operator: Operator;
  readonly quantifier?: Quantifier;
  readonly left: Extract;
  readonly right: Constants | Extract | undefined;
}

export type Operator =
  | "exists"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "contains"
  | "icontains"
  | "bcontains"
  | "startswith"
  | "bstartswith"
  | "endswith"
  | "glob"
  | "iglob"
  | "regex"
  | "in"
  | "intersects"
  | "pmatch";
export type Quantifier = "oneof" | "anyof" | "allof";

export interface Constants {
  readonly kind: "constants";
  /** Text, numbers and booleans according to the type of the left side. */
  readonly values: readonly Scalar[];
}

export type Scalar = string | number | bigint | boolean;
export type Value = FieldResult;
export type ValueType = Field<never>["type"];

interface Typed {
  readonly type: ValueType;
  readonly list: boolean;
  /** The field that error messages name. */
  readonly title: string;
  /**
   * Falco keeps such a value with its terminating NUL: an element of a list, or a right-hand side, of this kind is
   * never equal to a member of a set.
   */
  readonly terminated: boolean;
}

export interface Slot extends Typed {
  readonly kind: "slot";
  /** Index of the bound field among those of the source. */
  readonly slot: number;
}

export interface Constant extends Typed {
  readonly kind: "constant";
  readonly value: Scalar;
}

export interface Several extends Typed {
  readonly kind: "several";
  readonly items: readonly Extract[];
}

export interface Apply extends Typed {
  readonly kind: "apply";
  readonly transformer: Transformer;
  readonly args: readonly Extract[];
  /** The option character of `getopt(…)[c]`. */
  readonly option?: string;
}

export type Transformer = "tolower" | "toupper" | "b64" | "basename" | "len" | "join" | "concat" | "getopt";
export type Extract = Slot | Constant | Several | Apply;
