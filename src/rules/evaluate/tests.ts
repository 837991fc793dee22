import type { Constants, Operator, PlanCheck, Scalar } from "../bind/plan.ts";
import { compilePattern } from "../bind/regex.ts";
import { compileGlob, foldAscii } from "./glob.ts";
import { compilePaths } from "./paths.ts";

/** A question about one value that is there. Equal checks share one test in generated code. */
export type Test = (value: Scalar) => boolean;

/** Order of UTF-8 bytes, which for text without surrogates is that of its code units. */
export const compareText = (a: string, b: string): number => {
  if (a === b) return 0;
  if (/[\ud800-\udfff]/.test(a) || /[\ud800-\udfff]/.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
};

const compareScalars = (a: Scalar, b: Scalar): number => {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
};

/** Whether left stands to right as the operator says; both are of one type. */
export const compareWith = (operator: Operator, left: Scalar, right: Scalar): boolean => {
  switch (operator) {
    case "=":
    case "in":
    case "intersects":
      return compareScalars(left, right) === 0;
    case "!=":
      return compareScalars(left, right) !== 0;
    case "<":
      return compareScalars(left, right) < 0;
    case "<=":
      return compareScalars(left, right) <= 0;
    case ">":
      return compareScalars(left, right) > 0;
    case ">=":
      return compareScalars(left, right) >= 0;
    case "contains":
      return String(left).includes(String(right));
    case "icontains":
      return foldAscii(String(left)).includes(foldAscii(String(right)));
    case "startswith":
      return String(left).startsWith(String(right));
    case "endswith":
      return String(left).endsWith(String(right));
    case "glob":
      return compileGlob(String(right))(String(left));
    case "iglob":
      return compileGlob(String(right), true)(String(left));
    default:
      return false;
  }
};

/** The test that a scalar must pass against constants. */
export const compileTest = (check: PlanCheck, constants: Constants): Test => {
  const { operator, quantifier } = check;
  const { values } = constants;
  if (operator === "in" || operator === "intersects") return (value) => isMember(values, value);
  if (operator === "pmatch") {
    const test = compilePaths(values.map(String));
    return (value) => test(String(value));
  }
  if (quantifier === "anyof" && operator === "startswith") return startsWithAny(values.map(String));
  if (quantifier === "anyof" && operator === "contains") return containsAny(values.map(String));
  const tests = values.map((constant) => compileOne(operator, constant));
  switch (quantifier) {
    case undefined:
      return tests[0] ?? (() => false);
    case "anyof":
      return (value) => tests.some((test) => test(value));
    case "allof":
      return (value) => tests.length > 0 && tests.every((test) => test(value));
    default:
      return (value) => tests.reduce((n, test) => n + Number(test(value)), 0) === 1;
  }
};

/** Only prefixes with the text's own first character are tried. */
const startsWithAny = (prefixes: readonly string[]): Test => {
  if (prefixes.includes("")) return () => true;
  const byFirst = Map.groupBy(prefixes, (prefix) => prefix.charCodeAt(0));
  return (value) => {
    const text = String(value);
    const tried = byFirst.get(text.charCodeAt(0));
    if (tried !== undefined) for (const prefix of tried) if (text.startsWith(prefix)) return true;
    return false;
  };
};

const containsAny = (parts: readonly string[]): Test => {
  const pattern = patternOf(parts);
  return (value) => pattern.test(String(value));
};

/** Finds any of these texts in one pass; `i`: whatever the case of ASCII letters, for texts of ASCII. */
export const patternOf = (parts: readonly string[], flags: "" | "i" = ""): Pick<RegExp, "test"> =>
  parts.length === 0 ? nothing : new RegExp(parts.map((part) => RegExp.escape(part)).join("|"), flags);

const nothing = { test: () => false };

export const isMember = (values: readonly Scalar[], value: Scalar): boolean =>
  values.some((member) => compareScalars(member, value) === 0);

const compileOne = (operator: Operator, constant: Scalar): Test => {
  const text = String(constant);
  switch (operator) {
    case "glob":
    case "iglob": {
      const glob = compileGlob(text, operator === "iglob");
      return (value) => glob(String(value));
    }
    case "regex": {
      const pattern = compilePattern(text);
      return (value) => pattern.matches(String(value));
    }
    default:
      return (value) => compareWith(operator, value, constant);
  }
};
