import { listOperators, modifiers, operators } from "../syntax/grammar.ts";
import type { ExceptionItem } from "./items.ts";
import { RulesError } from "./problem.ts";

/** True when a field (with argument or transformer) exists for the source; undefined: the source is not known. */
export type FieldCheck = ((field: string) => boolean) | undefined;

/** Fills in the default comparison and checks shapes, operators and (for a known source) field names. */
export const validateException = (exception: ExceptionItem, known: FieldCheck): ExceptionItem => {
  const { fields, context } = exception;
  const refuseIf = (bad: boolean, message: string): void => {
    if (bad) throw new RulesError("LOAD_ERR_VALIDATE", message, context);
  };
  refuseIf(
    fields === undefined || fields.length === 0,
    "Rule exception item must have fields property with a list of fields",
  );
  const mustExist = (name: unknown): void =>
    refuseIf(
      known !== undefined && !(typeof name === "string" && known(name)),
      `'${typeof name === "string" ? name : ""}' is not a supported filter field`,
    );
  if (typeof fields === "string") {
    const comps = exception.comps ?? "in";
    if (typeof comps !== "string") {
      refuseIf(true, "Fields and comps must both be strings");
      return exception;
    }
    const comp = comps.trim();
    refuseIf(
      !listOperators.includes(comp) && !isModified(comp),
      "When fields is a single value, comps must be one of (in, pmatch, intersects)",
    );
    mustExist(fields);
    return { ...exception, comps: comp };
  }
  const names = fields ?? [];
  const comps = exception.comps ?? names.map(() => "=");
  const all = typeof comps === "string" ? [] : comps;
  refuseIf(all.length !== names.length, "Fields and comps lists must have equal length");
  const trimmed = all.map((comp) => {
    const text = typeof comp === "string" ? comp.trim() : "";
    refuseIf(!operators.includes(text) && !isModified(text), `'${text}' is not a supported comparison operator`);
    return text;
  });
  for (const name of names) mustExist(name);
  return { ...exception, comps: trimmed };
};

/** `startswith anyof` and the like. */
export const isModified = (comp: string): boolean => {
  const [operator = "", modifier = "", ...rest] = comp.split(/\s+/);
  return rest.length === 0 && operators.includes(operator) && modifiers.includes(modifier);
};
