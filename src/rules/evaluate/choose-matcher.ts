import type { Slots } from "../bind/slots.ts";
import type { CompiledRule } from "../compile.ts";
import { generateMatcher } from "./generate.ts";
import { closuresOf, type Matcher, type Mode } from "./matcher.ts";

/** Generated code where it may be made, closures where not. */
export const matcherOf = (
  rules: readonly CompiledRule<unknown>[],
  slots: Slots<unknown>,
  matching: "first" | "all",
  wanted: Mode,
): Matcher => {
  if (wanted === "generated") {
    const generated = generateMatcher(rules, slots, matching);
    if (generated !== undefined) return generated;
  }
  return closuresOf(rules, slots, matching);
};
