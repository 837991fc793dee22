import type { Slots } from "../bind/slots.ts";
import type { CompiledRule } from "../compile.ts";
import { compileClosure } from "./closures.ts";

export type Mode = "generated" | "closures";

/** The rules of one source, ready for events. */
export interface Matcher {
  readonly mode: Mode;
  /** How many events each way has evaluated. */
  readonly evaluated: { readonly generated: number; readonly closures: number };
  /** The generated program; absent with closures. */
  readonly code?: string;
  match(event: unknown): readonly CompiledRule<unknown>[];
}

/** Rules evaluated by closures: the reference that generated programs are held to. */
export const closuresOf = (
  rules: readonly CompiledRule<unknown>[],
  slots: Slots<unknown>,
  matching: "first" | "all",
): Matcher => {
  const reads = slots.bound.map((bound) => bound.compared);
  const compiled = rules.map((rule) => ({ rule, test: compileClosure(rule.plan, reads) }));
  const evaluated = { generated: 0, closures: 0 };
  return {
    mode: "closures",
    evaluated,
    match: (event) => {
      evaluated.closures++;
      const found: CompiledRule<unknown>[] = [];
      for (const { rule, test } of compiled)
        if (test(event)) {
          found.push(rule);
          if (matching === "first") break;
        }
      return found;
    },
  };
};
