/** The parsed template. `at` is an offset into the source. */

/** What a command is made of. */
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

/** Commands joined by `|`, each a list of operands; its value may be declared as variables. */
export interface Pipeline {
  readonly op: "pipe";
  readonly at: number;
  /** Variables that take the value; `assign`: they exist already. */
  readonly declare: readonly string[];
  readonly assign: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

/** What a template does, in its order. */
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

/** A whole template: its main part, and those that `define` names. */
export interface Program {
  readonly source: string;
  readonly main: readonly Node[];
  readonly named: ReadonlyMap<string, readonly Node[]>;
}
