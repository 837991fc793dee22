import { type CompiledCondition, compileCondition } from "../rules/index.ts";
import type { Alert } from "../sdk/alert.ts";
import { alertCatalog } from "./alert.ts";

/** A condition over alerts: `match:` of an output. */
export const alertCondition = (text: string): CompiledCondition<Alert> => compileCondition(text, alertCatalog);

/** Why the text is no condition over alerts, with its place in the text; undefined: it is one. */
export const conditionFault = (text: string): string | undefined => {
  const made = alertCondition(text);
  return made.ok ? undefined : `is no condition: ${made.message} (at ${made.line}:${made.column} of it)`;
};

/** The test that a condition stands for. Throws when it does not compile. */
export const alertTest = (text: string): ((alert: Alert) => boolean) => {
  const made = alertCondition(text);
  if (!made.ok) throw new Error(conditionFault(text));
  return made.test;
};
