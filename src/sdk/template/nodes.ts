/** The parsed template. `at` is an offset into the source. */

export type Operand =
  | { readonly op: "dot" | "nil"; readonly at: number }
  | {
      readonly op: "constant";
      readonly at: number;
      readonly value: string | bigint | boolean | { readonly float: number };
    }
  | { readonly op: "function"; readonly at: number; readonly name: string }
  | { readonly op: "field"; readonly at: number; readonly path: readonly string[] }
  | { readonly op: "variable"; readonly at: number; readonly name: string; readonly path: readonly string[] }
  | { readonly op: "chain"; readonly at: number; readonly of: Operand; readonly path: readonly string[] }
  | Pipeline;

export interface Pipeline {
  readonly op: "pipe";
  readonly at: number;
  /** Variables that take the value; `assign`: they exist already. */
  readonly declare: readonly string[];
  readonly assign: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type Node =
  | { readonly do: "text"; readonly text: string }
  | { readonly do: "print"; readonly pipe: Pipeline }
  | {
      readonly do: "if" | "with" | "range";
      readonly pipe: Pipeline;
      readonly body: readonly Node[];
      readonly other?: readonly Node[];
    }
  | { readonly do: "break" | "continue" }
  | { readonly do: "template"; readonly at: number; readonly name: string; readonly pipe?: Pipeline };

export interface Program {
  readonly source: string;
  readonly main: readonly Node[];
  readonly named: ReadonlyMap<string, readonly Node[]>;
}
