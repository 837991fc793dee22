import type { Expression, FieldUse, Transform } from "./ast.ts";
import { createGrammar, type Grammar } from "./descent.ts";
import { SyntaxFault } from "./quote.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T /** Where parsing ended. */; readonly end: number }
  | { readonly ok: false; readonly message: string; readonly at: number };

/** Parses a whole condition, lists already put in. */
export const parseCondition = (text: string): Parsed<Expression> => run(text, (grammar) => grammar.condition());

/** Parses a field or transformer, as output formats have it; what follows is left alone. */
export const parseOperand = (text: string): Parsed<FieldUse | Transform> =>
  run(text, (grammar) => grammar.fieldOrTransform());

const run = <T>(text: string, parse: (grammar: Grammar) => T): Parsed<T> => {
  const grammar = createGrammar(text);
  try {
    return { ok: true, value: parse(grammar), end: grammar.position() };
  } catch (error) {
    if (error instanceof SyntaxFault) return { ok: false, message: error.message, at: grammar.position() };
    throw error;
  }
};
