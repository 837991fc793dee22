/** Conditions: checks joined by `and`, `or`, `not` and parentheses. */
import type { Expression, Operand } from "./ast.ts";
import { type Descent, fail } from "./descent.ts";
import { listOperators, modifiers, numericOperators, operators, stringOperators } from "./grammar.ts";
import { readField, readTransform } from "./read-operand.ts";
import { listRight, numericRight, quotedWords, stringRight } from "./read-right.ts";
import { patterns } from "./scan.ts";

const junction = (descent: Descent, kind: "or" | "and", next: (descent: Descent) => Expression): Expression =>
  descent.level(() => {
    const { scan } = descent;
    const at = scan.position;
    scan.blank();
    const first = next(descent);
    const children = [first];
    scan.blank();
    while (scan.word(kind)) {
      if (scan.blank()) children.push(next(descent));
      else if (scan.word("(")) children.push(parenthesised(descent));
      else fail(`expected blank or '(' after '${kind}'`);
      scan.blank();
    }
    return children.length > 1 ? { kind, children, at } : first;
  });

/** The loosest junction: a condition as a whole, or what stands in parentheses. */
export const readOr = (descent: Descent): Expression => junction(descent, "or", readAnd);
const readAnd = (descent: Descent): Expression => junction(descent, "and", readNot);

const readNot = (descent: Descent): Expression =>
  descent.level(() => {
    const { scan } = descent;
    const at = scan.position;
    let negated = false;
    scan.blank();
    while (scan.pattern(patterns.notAndBlank)) negated = !negated;
    let child: Expression;
    if (scan.word("not(")) {
      negated = !negated;
      child = parenthesised(descent);
    } else child = readCheck(descent);
    return negated ? { kind: "not", child, at } : child;
  });

/** What follows an opening parenthesis. */
const parenthesised = (descent: Descent): Expression =>
  descent.level(() => {
    descent.scan.blank();
    const child = readOr(descent);
    descent.scan.blank();
    return descent.scan.word(")") ? child : fail("expected a ')' token");
  });

const readCheck = (descent: Descent): Expression =>
  descent.level(() => {
    const { scan } = descent;
    const at = scan.position;
    scan.blank();
    if (scan.word("(")) return parenthesised(descent);
    const left = readField(descent, at) ?? readTransform(descent, at);
    if (left !== undefined) return comparison(descent, left, at);
    if (scan.pattern(patterns.identifier)) return { kind: "macro", name: scan.token, at };
    return fail("expected a '(' token, a field check, or an identifier");
  });

const comparison = (descent: Descent, left: Operand, at: number): Expression =>
  descent.level(() => {
    const { scan } = descent;
    scan.blank();
    if (scan.word("exists")) return { kind: "check", operator: "exists", left, at };
    if (scan.oneOf(numericOperators)) {
      const operator = scan.token;
      return { kind: "check", operator, left, right: numericRight(descent), at };
    }
    const text = stringOperator(descent);
    if (text !== undefined) {
      const { operator } = text;
      const modifier = modifierAfter(descent, text.blankFollowed);
      if (modifier !== undefined) return { kind: "check", operator, modifier, left, right: listRight(descent), at };
      return { kind: "check", operator, left, right: stringRight(descent), at };
    }
    if (scan.oneOf(listOperators)) {
      const operator = scan.token;
      return { kind: "check", operator, left, right: listRight(descent), at };
    }
    return fail(`expected a valid check operator: one of ${quotedWords(operators)}`);
  });

/** Symbols stand alone; words need a blank behind them. */
const stringOperator = ({ scan }: Descent): { operator: string; blankFollowed: boolean } | undefined => {
  const isSymbol = (operator: string): boolean => !/[a-z]/.test(operator);
  const operator = stringOperators.find((o) => (isSymbol(o) ? scan.word(o) : scan.wordAndBlank(o)));
  return operator === undefined ? undefined : { operator, blankFollowed: !isSymbol(operator) };
};

/** A modifier counts as one when a list follows: parentheses, or a bare name that is no `or`/`and`. */
const modifierAhead = /(?:oneof|anyof|allof)[ \t\x08\r\n]+(?!(?:or|and)(?:[ \t\x08\r\n(]|$))[(a-zA-Z]/y;

const modifierAfter = ({ scan }: Descent, blankFollowed: boolean): string | undefined => {
  const blank = scan.blank() || blankFollowed;
  if (!blank || !scan.peek(modifierAhead)) return undefined;
  return modifiers.find((modifier) => scan.wordAndBlank(modifier));
};
