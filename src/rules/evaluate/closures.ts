import type { Apply, Extract, Plan, PlanCheck, Scalar, Value } from "../bind/plan.ts";
import { compareWith, compileTest, isMember } from "./tests.ts";
import { applyTransformer, gather } from "./transform.ts";

/** The reference compiler: one function per node, nothing shared, nothing remembered. */
export type Predicate<E> = (event: E) => boolean;
export type Read<E> = (event: E) => Value;

export const compileClosure = <E>(plan: Plan, reads: readonly Read<E>[]): Predicate<E> => {
  switch (plan.kind) {
    case "and": {
      const children = plan.children.map((child) => compileClosure(child, reads));
      return (event) => children.every((child) => child(event));
    }
    case "or": {
      const children = plan.children.map((child) => compileClosure(child, reads));
      return (event) => children.some((child) => child(event));
    }
    case "not": {
      const child = compileClosure(plan.child, reads);
      return (event) => !child(event);
    }
    case "check":
      return compileCheck(plan, reads);
  }
};

export const compileExtract = <E>(extract: Extract, reads: readonly Read<E>[]): Read<E> => {
  switch (extract.kind) {
    case "slot":
      return reads[extract.slot] ?? (() => undefined);
    case "constant":
      return () => extract.value;
    case "several": {
      const items = extract.items.map((item) => compileExtract(item, reads));
      return (event) => gather(items.map((item) => item(event)));
    }
    case "apply":
      return compileApply(extract, reads);
  }
};

const compileApply = <E>(apply: Apply, reads: readonly Read<E>[]): Read<E> => {
  const args = apply.args.map((arg) => compileExtract(arg, reads));
  const { transformer, option } = apply;
  return (event) =>
    applyTransformer(
      transformer,
      args.map((arg) => arg(event)),
      option,
    );
};

const compileCheck = <E>(check: PlanCheck, reads: readonly Read<E>[]): Predicate<E> => {
  const left = compileExtract(check.left, reads);
  const { right, operator } = check;
  if (right === undefined) return (event) => left(event) !== undefined;
  if (neverMember(check)) return () => false;
  if (right.kind === "constants") {
    const test = compileTest(check, right);
    return (event) => {
      const value = left(event);
      if (value === undefined) return false;
      return typeof value === "object" ? holds(operator === "in", value, test) : test(value);
    };
  }
  const other = compileExtract(right, reads);
  return (event) => {
    const value = left(event);
    const against = value === undefined ? undefined : other(event);
    if (value === undefined || against === undefined) return false;
    const members: readonly Scalar[] = typeof against === "object" ? against : [against];
    const test = (item: Scalar): boolean =>
      operator === "in" || operator === "intersects"
        ? isMember(members, item)
        : compareWith(operator, item, members[0] as Scalar);
    return typeof value === "object" ? holds(operator === "in", value, test) : test(value);
  };
};

/** A list is in a set when all of it is, and meets it when some of it is; an empty one does neither. */
const holds = (all: boolean, list: readonly string[], test: (item: string) => boolean): boolean =>
  all ? list.length > 0 && list.every(test) : list.some(test);

/** Set checks that Falco's terminating NULs keep from ever matching (see plan.ts). */
export const neverMember = (check: PlanCheck): boolean => {
  if (check.operator !== "in" && check.operator !== "intersects") return false;
  if (check.left.list && check.left.terminated) return true;
  return check.right !== undefined && check.right.kind !== "constants" && check.right.terminated;
};

/** Nothing is in an empty set, and nothing meets it. */
export const hasNoMembers = ({ operator, right }: PlanCheck): boolean =>
  (operator === "in" || operator === "intersects") && right?.kind === "constants" && right.values.length === 0;
