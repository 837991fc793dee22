/** What stands right of an operator. */
import type { FieldUse, Right, Transform, Values } from "./ast.ts";
import { type Descent, fail } from "./descent.ts";
import { rightTransformers } from "./grammar.ts";
import { SyntaxFault } from "./quote.ts";
import { closeTransform, fieldRest, readNumber, readTransform } from "./read-operand.ts";
import { patterns } from "./scan.ts";

export const quotedWords = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(", ");
const transformerWords = quotedWords(rightTransformers);

/** A transformed field, a value that `literal` reads, or the complaint that neither stands here. */
const right = (descent: Descent, what: string, literal: (at: number) => Right | undefined): Right =>
  descent.level(() => {
    descent.scan.blank();
    const at = descent.scan.position;
    return (
      rightOperand(descent) ??
      literal(at) ??
      fail(`expected ${what} or a field with a valid transformer: ${transformerWords}`)
    );
  });

export const numericRight = (descent: Descent): Right =>
  right(descent, "a number value", (at) =>
    readNumber(descent.scan) ? { kind: "values", values: [descent.scan.token], at } : undefined,
  );

export const stringRight = (descent: Descent): Right =>
  right(descent, "a string value", (at) =>
    readText(descent) ? { kind: "values", values: [descent.scan.token], at } : undefined,
  );

const readText = ({ scan }: Descent): boolean => scan.quoted() || scan.pattern(patterns.bare);

export const listRight = (descent: Descent): Right =>
  descent.level(() => {
    const { scan } = descent;
    scan.blank();
    const at = scan.position;
    if (scan.word("(")) return list(descent, at);
    const operand = rightOperand(descent);
    if (operand !== undefined) return operand;
    if (scan.pattern(patterns.identifier)) return { kind: "values", values: [scan.token], at };
    return fail(`expected a list, an identifier, or a field with a valid transformer: ${transformerWords}`);
  });

const list = (descent: Descent, at: number): Values => {
  const { scan } = descent;
  const values: string[] = [];
  scan.blank();
  try {
    values.push(listItem(descent));
  } catch (error) {
    // Whatever is wrong with the first item, the list counts as empty and must close here.
    if (!(error instanceof SyntaxFault)) throw error;
  }
  scan.blank();
  while (values.length > 0 && scan.word(",")) {
    values.push(listItem(descent));
    scan.blank();
  }
  return scan.word(")") ? { kind: "values", values, at } : fail("expected a ')' token");
};

const listItem = (descent: Descent): string =>
  descent.level(() => {
    descent.scan.blank();
    return readText(descent) ? descent.scan.token : fail("expected a string value");
  });

const rightOperand = (descent: Descent): FieldUse | Transform | undefined =>
  descent.level(() => {
    const { scan } = descent;
    scan.blank();
    const at = scan.position;
    if (!scan.word("val(")) return readTransform(descent, at);
    scan.blank();
    const fieldAt = scan.position;
    if (!scan.pattern(patterns.fieldName)) fail("expected a field within 'val' transformer");
    const field = fieldRest(descent, scan.token, fieldAt);
    scan.blank();
    return closeTransform(scan, "val", [field], at);
  });
