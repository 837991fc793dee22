import { forBytes } from "./comparable.ts";
import type { Scalar, ValueType } from "./plan.ts";
import { checkPattern } from "./regex.ts";
import { FieldFault } from "./slots.ts";

/** A right-hand text as a value of the left side's type; throws when it is none. */
export const parseConstant = (text: string, type: ValueType, operator: string): Scalar => {
  if (forBytes.has(operator) && !/^(?:[0-9a-fA-F]{2})*$/.test(text))
    throw new FieldFault("filter error: bcontains and bstartswith operator support hex strings only");
  if (type === "string" || type === "any") {
    if (text.includes("\0")) throw new FieldFault("filter error: filter value cannot contain a NUL byte (\\x00)");
    if (operator === "regex") {
      const fault = checkPattern(text);
      if (fault !== undefined) throw new FieldFault(`invalid regex pattern: ${fault}`);
    }
    return text;
  }
  if (type === "bool") {
    if (text !== "true" && text !== "false") throw new FieldFault(`filter error: unrecognized boolean value ${text}`);
    return text === "true";
  }
  return unsigned(text);
};

const largest = 0xffff_ffff_ffff_ffffn;

/** An unsigned 64 bit integer as C reads it: a minus wraps around, too much stays at the largest. */
const unsigned = (text: string): number | bigint => {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) throw new FieldFault(`${text} is not a valid number`);
  const value = BigInt(text.trim().replace(/^\+/, ""));
  const magnitude = value < 0n ? -value : value;
  const wrapped = magnitude > largest ? largest : BigInt.asUintN(64, value);
  return wrapped <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wrapped) : wrapped;
};
