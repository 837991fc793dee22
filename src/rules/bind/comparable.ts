import type { Extract, Operator, ValueType } from "./plan.ts";
import { FieldFault } from "./slots.ts";

const typeNames: Readonly<Record<ValueType, string>> = {
  string: "CHARBUF",
  number: "UINT64",
  bool: "BOOL",
  abstime: "ABSTIME",
  reltime: "RELTIME",
  any: "DYNAMIC",
};

export const typeName = (of: { readonly type: ValueType; readonly list: boolean }): string =>
  `${typeNames[of.type]}${of.list ? " (list)" : ""}`;

export const normalOperator = (operator: string): string => (operator === "==" ? "=" : operator);

const forLists = new Set(["exists", "in", "intersects"]);
const forNumbers = new Set(["exists", "in", "intersects", "=", "!=", "<", "<=", ">", ">="]);
const forFlags = new Set(["exists", "in", "intersects", "=", "!="]);
export const forBytes = new Set(["bcontains", "bstartswith"]);

/** Throws when values of this type cannot be compared so. */
export const checkOperator = (operator: string, left: Extract): Operator => {
  const refuse = (what: string): never => {
    throw new FieldFault(`filter error: '${operator}' operator not supported ${what}`);
  };
  if (left.type === "any") return operator as Operator;
  if (left.list) {
    if (!forLists.has(operator)) refuse("list filters");
  } else if (left.type === "string") {
    if (forBytes.has(operator)) refuse("for string filters");
  } else if (!(left.type === "bool" ? forFlags : forNumbers).has(operator)) refuse("for numeric filters");
  return operator as Operator;
};
