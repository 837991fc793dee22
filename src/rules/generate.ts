import type { CompiledRule } from "./compile.ts";
import { chooseDispatch, dispatchParts } from "./dispatch.ts";
import { emitProgram } from "./emit.ts";
import type { Matcher } from "./matcher.ts";
import type { Slots } from "./slots.ts";

/**
 * The fast path: all rules of a source as one program, in which a field is read and a condition decided at most once per
 * event. The program is made of numbers and fixed words; every text of a rule reaches it as a parameter.
 * Undefined: code generation is forbidden here (`--disallow-code-generation-from-strings`).
 */
export const generateMatcher = (
  rules: readonly CompiledRule<unknown>[],
  slots: Slots<unknown>,
  matching: "first" | "all",
): Matcher | undefined => {
  const reads = slots.bound.map((bound) => bound.compared);
  const dispatch = chooseDispatch(rules.map((rule) => rule.plan));
  const parts = dispatchParts(rules, dispatch);
  const programs = parts.sets.map((set) => {
    const program = emitProgram(
      set.map((n) => rules[n] as CompiledRule<unknown>),
      matching,
      dispatch?.slot,
    );
    return { ...program, set };
  });
  const runs: Run[] = [];
  try {
    for (const { code, constants, set } of programs)
      runs.push(
        new Function("read", "constants", "rules", "none", code)(
          reads,
          constants,
          set.map((n) => rules[n]),
          none,
        ) as Run,
      );
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
  const evaluated = { generated: 0, closures: 0 };
  const rest = runs[parts.rest] as Run;
  const code = programs.map((program) => program.code).join("\n");
  if (dispatch === undefined)
    return {
      mode: "generated",
      evaluated,
      code,
      match: (event) => {
        evaluated.generated++;
        return rest(event, undefined);
      },
    };
  const table = new Map<string, Run>(Array.from(parts.byValue, ([value, n]) => [value, runs[n] as Run]));
  const read = reads[dispatch.slot] as (event: unknown) => unknown;
  return {
    mode: "generated",
    evaluated,
    code,
    match: (event) => {
      evaluated.generated++;
      const value = read(event);
      return (typeof value === "string" ? (table.get(value) ?? rest) : rest)(event, value);
    },
  };
};

type Run = (event: unknown, given: unknown) => readonly CompiledRule<unknown>[];

const none: readonly CompiledRule<unknown>[] = Object.freeze([]);
