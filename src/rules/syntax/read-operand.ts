/** Fields and transformers, as they stand left of an operator, in arguments and in output formats. */
import type { FieldUse, Operand, Transform } from "./ast.ts";
import { type Descent, fail, transformerTokens } from "./descent.ts";
import { patterns, type Scanner } from "./scan.ts";

export const readNumber = (scan: Scanner): boolean => scan.pattern(patterns.hexNumber) || scan.pattern(patterns.number);

const bracketed = (scan: Scanner): string | undefined => {
  if (!scan.word("[")) return undefined;
  if (!scan.quoted() && !scan.pattern(patterns.fieldArgument))
    fail("expected a valid field argument: a quoted string or a bare string");
  const arg = scan.token;
  return scan.word("]") ? arg : fail("expected a ']' token");
};

/** What follows a field's name, which began at `at`. */
export const fieldRest = ({ scan, level }: Descent, name: string, at: number): FieldUse =>
  level(() => {
    const arg = bracketed(scan);
    return { kind: "field", name, at, ...(arg !== undefined && { arg }) };
  });

/** What follows a transformer's opening parenthesis. */
const transformRest = (descent: Descent, name: string, at: number): Transform =>
  descent.level(() => {
    const { scan } = descent;
    scan.blank();
    const args = [argument(descent)];
    scan.blank();
    while (scan.word(",")) {
      scan.blank();
      args.push(argument(descent));
      scan.blank();
    }
    return closeTransform(scan, name, args, at);
  });

export const closeTransform = (scan: Scanner, name: string, args: readonly Operand[], at: number): Transform => {
  if (!scan.word(")")) fail("expected a ')' token closing the transformer");
  const arg = bracketed(scan);
  return { kind: "transform", name, args, at, ...(arg !== undefined && { arg }) };
};

/** A transformer here, or undefined and nothing taken. */
export const readTransform = (descent: Descent, at: number): Transform | undefined =>
  descent.scan.oneOf(transformerTokens) ? transformRest(descent, descent.scan.token.slice(0, -1), at) : undefined;

/** A field here, or undefined and nothing taken. */
export const readField = (descent: Descent, at: number): FieldUse | undefined =>
  descent.scan.pattern(patterns.fieldName) ? fieldRest(descent, descent.scan.token, at) : undefined;

const argument = (descent: Descent): Operand =>
  descent.level(() => {
    const { scan } = descent;
    scan.blank();
    const at = scan.position;
    if (readNumber(scan) || scan.quoted()) return { kind: "literal", text: scan.token, at };
    if (scan.word("(")) return argumentList(descent, at);
    return (
      readTransform(descent, at) ??
      readField(descent, at) ??
      fail("expected field transformer argument: field, transformer, quoted string, number, or transformer list")
    );
  });

const argumentList = (descent: Descent, at: number): Operand => {
  const { scan } = descent;
  scan.blank();
  const items: Operand[] = [];
  if (scan.word(")")) return { kind: "list", items, at };
  do {
    scan.blank();
    items.push(listArgument(descent));
    scan.blank();
  } while (scan.word(","));
  return scan.word(")") ? { kind: "list", items, at } : fail("expected ')'");
};

const listArgument = (descent: Descent): Operand => {
  const { scan } = descent;
  const at = scan.position;
  const operand = readField(descent, at) ?? readTransform(descent, at);
  if (operand !== undefined) return operand;
  if (scan.quoted() || readNumber(scan)) return { kind: "literal", text: scan.token, at };
  return fail("expected transformer list argument: field, transformer, quoted string, or number");
};
