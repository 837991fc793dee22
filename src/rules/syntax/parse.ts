import type { Expression, FieldUse, Transform } from "./ast.ts";
import { createDescent, type Descent, fail } from "./descent.ts";
import { SyntaxFault } from "./quote.ts";
import { readOr } from "./read-condition.ts";
import { readField, readTransform } from "./read-operand.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T /** Where parsing ended. */; readonly end: number }
  | { readonly ok: false; readonly message: string; readonly at: number };

/** Parses a whole condition, lists already put in. */
export const parseCondition = (text: string): Parsed<Expression> =>
  run(text, (descent) => {
    const { scan } = descent;
    if (text === "") fail("filter input string is empty");
    const made = readOr(descent);
    return scan.atEnd ? made : fail(`unexpected token after '${scan.token}', expecting 'or', 'and'`);
  });

/** Parses a field or transformer, as output formats have it; what follows is left alone. */
export const parseOperand = (text: string): Parsed<FieldUse | Transform> =>
  run(text, (descent) => {
    const at = descent.scan.position;
    return readTransform(descent, at) ?? readField(descent, at) ?? fail("expected a field or a valid transformer");
  });

const run = <T>(text: string, parse: (descent: Descent) => T): Parsed<T> => {
  const descent = createDescent(text);
  try {
    return { ok: true, value: parse(descent), end: descent.scan.position };
  } catch (error) {
    if (error instanceof SyntaxFault) return { ok: false, message: error.message, at: descent.scan.position };
    throw error;
  }
};
