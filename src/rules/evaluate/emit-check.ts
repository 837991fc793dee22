import type { Constants, Extract, PlanCheck, Scalar } from "../bind/plan.ts";
import { hasNoMembers, neverMember } from "./closures.ts";
import { type Names, valueKey } from "./emit-names.ts";
import { foldAscii } from "./glob.ts";
import { compareText, compareWith, compileTest, isMember, patternOf } from "./tests.ts";
import { applyTransformer, gather } from "./transform.ts";

/** A check as an expression. What simple comparisons there are stand in the code itself, the others are called. */
export const emitCheck = (check: PlanCheck, names: Names): string => {
  const { left, right, operator } = check;
  if (neverMember(check) || hasNoMembers(check)) return "false";
  const search = caselessSearch(check);
  if (search !== undefined) {
    const pattern = names.constant(`caseless ${valueKey(search.parts)}`, () => patternOf(search.parts, "i"));
    return `(t=${emitExtract(search.of, names)})!==undefined&&${pattern}.test(t)`;
  }
  const value = emitExtract(left, names);
  if (right === undefined) return `${value}!==undefined`;
  if (right.kind === "constants")
    return left.list ? emitList(check, right, value, names) : emitScalar(check, right, value, names);
  const other = emitExtract(right, names);
  const key = `${operator} ${left.list} ${right.list}`;
  const compare = names.constant(`pair ${key}`, () => pairTest(check));
  return `${compare}(${value},${other})`;
};

const ascii = /^[\x00-\x7f]*$/;

/** `tolower(x) contains …` and `x icontains …` as a search in x itself, which may be long. */
const caselessSearch = ({
  left,
  right,
  operator,
  quantifier,
}: PlanCheck): { readonly of: Extract; readonly parts: readonly string[] } | undefined => {
  if (right?.kind !== "constants" || left.list || left.type !== "string") return undefined;
  if (quantifier !== "anyof" && (quantifier !== undefined || right.values.length !== 1)) return undefined;
  const parts = right.values.map(String);
  if (!parts.every((part) => ascii.test(part))) return undefined;
  if (operator === "icontains") return { of: left, parts };
  const [of] = left.kind === "apply" && left.transformer === "tolower" ? left.args : [];
  if (operator !== "contains" || of === undefined || of.list || of.type !== "string") return undefined;
  // In a text of small letters no others are found.
  return { of, parts: parts.filter((part) => part === foldAscii(part)) };
};

const pairTest =
  ({ operator }: PlanCheck) =>
  (value: unknown, other: unknown): boolean => {
    if (value === undefined || other === undefined) return false;
    const members = (typeof other === "object" ? other : [other]) as readonly Scalar[];
    const test = (item: Scalar): boolean =>
      operator === "in" || operator === "intersects"
        ? isMember(members, item)
        : compareWith(operator, item, members[0] as Scalar);
    if (typeof value !== "object") return test(value as Scalar);
    const list = value as readonly string[];
    return operator === "in" ? list.length > 0 && list.every(test) : list.some(test);
  };

const emitExtract = (extract: Extract, names: Names): string => {
  switch (extract.kind) {
    case "slot":
      return names.slot(extract.slot);
    case "constant":
      return names.constant(`value ${valueKey(extract.value)}`, () => extract.value);
    case "several":
      return `${names.constant("gather", () => gather)}([${extract.items.map((item) => emitExtract(item, names)).join(",")}])`;
    case "apply": {
      const args = extract.args.map((arg) => emitExtract(arg, names)).join(",");
      const { transformer, option } = extract;
      const apply = names.constant(
        `apply ${transformer} ${valueKey(option)}`,
        () =>
          (...values: never[]) =>
            applyTransformer(transformer, values, option),
      );
      return `${apply}(${args})`;
    }
  }
};

const emitList = (check: PlanCheck, right: Constants, value: string, names: Names): string => {
  const members = new Set(right.values);
  const test = names.constant(`${check.operator} list ${valueKey(right.values)}`, () =>
    check.operator === "in"
      ? (list: readonly string[] | undefined) => {
          if (list === undefined || list.length === 0) return false;
          for (const item of list) if (!members.has(item)) return false;
          return true;
        }
      : (list: readonly string[] | undefined) => {
          if (list === undefined) return false;
          for (const item of list) if (members.has(item)) return true;
          return false;
        },
  );
  return `${test}(${value})`;
};

const emitScalar = (check: PlanCheck, right: Constants, value: string, names: Names): string => {
  const { operator, quantifier, left } = check;
  const { values } = right;
  const plainText = left.type === "string" && quantifier === undefined;
  const only = values.length === 1 ? values[0] : undefined;
  const constant = (of: Scalar): string => names.constant(`value ${valueKey(of)}`, () => of);
  /** `t` is a local for the value in hand. */
  const bind = (test: string): string => `(t=${value})!==undefined&&${test}`;
  if (plainText) {
    switch (operator) {
      case "=":
      case "in":
      case "intersects":
        if (only !== undefined) return `${value}===${constant(only)}`;
        return `${names.constant(`set ${valueKey(values)}`, () => new Set(values))}.has(${value})`;
      case "!=":
        if (only !== undefined) return bind(`t!==${constant(only)}`);
        break;
      case "startswith":
      case "endswith":
      case "contains":
        if (only !== undefined) {
          const method = { startswith: "startsWith", endswith: "endsWith", contains: "includes" }[operator];
          return bind(`t.${method}(${constant(only)})`);
        }
        break;
      case "<":
      case "<=":
      case ">":
      case ">=":
        if (only !== undefined)
          return bind(`${names.constant("compare", () => compareText)}(t,${constant(only)})${operator}0`);
        break;
      default:
        break;
    }
  }
  if (quantifier === undefined && only !== undefined && left.type !== "string" && left.type !== "bool")
    if (operator === "<" || operator === "<=" || operator === ">" || operator === ">=")
      return bind(`t${operator}${constant(only)}`);
  const test = names.constant(`test ${operator} ${quantifier} ${left.type} ${valueKey(values)}`, () =>
    compileTest(check, right),
  );
  return bind(`${test}(t)`);
};
