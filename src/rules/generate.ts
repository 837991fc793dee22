import type { CompiledRule } from "./compile.ts";
import type { Matcher } from "./matcher.ts";
import type { Slots } from "./slots.ts";

export const generateMatcher = (
  _rules: readonly CompiledRule<unknown>[],
  _slots: Slots<unknown>,
  _matching: "first" | "all",
): Matcher | undefined => undefined;
