import type { Expression, FieldUse, Operand, Right, Transform, Values } from "./ast.ts";
import {
  listOperators,
  maximumDepth,
  modifiers,
  numericOperators,
  operators,
  rightTransformers,
  stringOperators,
  transformers,
} from "./grammar.ts";
import { SyntaxFault } from "./quote.ts";
import { createScanner, patterns } from "./scan.ts";

const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(", ");
const transformerWords = quote(rightTransformers);
const fail = (message: string): never => {
  throw new SyntaxFault(message);
};

export interface Grammar {
  position(): number;
  condition(): Expression;
  fieldOrTransform(): FieldUse | Transform;
}

const transformerTokens = transformers.map((name) => `${name}(`);

/** The grammar over one text, by recursive descent; its rules throw SyntaxFault and leave the position where they failed. */
export const createGrammar = (text: string): Grammar => {
  const scan = createScanner(text);
  let depth = 0;
  /** Every rule of the grammar counts as a level, as in Falco. */
  const level = <T>(rule: () => T): T => {
    depth++;
    if (depth >= maximumDepth) {
      depth--;
      return fail(`exceeded max depth limit of ${maximumDepth}`);
    }
    try {
      return rule();
    } finally {
      depth--;
    }
  };

  const junction = (kind: "or" | "and", next: () => Expression): Expression =>
    level(() => {
      const at = scan.position;
      scan.blank();
      const children = [next()];
      scan.blank();
      while (scan.word(kind)) {
        if (scan.blank()) children.push(next());
        else if (scan.word("(")) children.push(rest());
        else fail(`expected blank or '(' after '${kind}'`);
        scan.blank();
      }
      return children.length > 1 ? { kind, children, at } : (children[0] as Expression);
    });
  const or = (): Expression => junction("or", and);
  const and = (): Expression => junction("and", not);

  const not = (): Expression =>
    level(() => {
      const at = scan.position;
      let negated = false;
      scan.blank();
      while (scan.pattern(patterns.notAndBlank)) negated = !negated;
      let child: Expression;
      if (scan.word("not(")) {
        negated = !negated;
        child = rest();
      } else child = check();
      return negated ? { kind: "not", child, at } : child;
    });

  /** What follows an opening parenthesis. */
  const rest = (): Expression =>
    level(() => {
      scan.blank();
      const child = or();
      scan.blank();
      return scan.word(")") ? child : fail("expected a ')' token");
    });

  const check = (): Expression =>
    level(() => {
      const at = scan.position;
      scan.blank();
      if (scan.word("(")) return rest();
      if (scan.pattern(patterns.fieldName)) return comparison(fieldRest(scan.token, at), at);
      if (scan.oneOf(transformerTokens)) return comparison(transformRest(scan.token.slice(0, -1), at), at);
      if (scan.pattern(patterns.identifier)) return { kind: "macro", name: scan.token, at };
      return fail("expected a '(' token, a field check, or an identifier");
    });

  const bracketed = (): string | undefined => {
    if (!scan.word("[")) return undefined;
    if (!scan.quoted() && !scan.pattern(patterns.fieldArgument))
      fail("expected a valid field argument: a quoted string or a bare string");
    const arg = scan.token;
    return scan.word("]") ? arg : fail("expected a ']' token");
  };

  const fieldRest = (name: string, at: number): FieldUse =>
    level(() => {
      const arg = bracketed();
      return { kind: "field", name, at, ...(arg !== undefined && { arg }) };
    });

  const transformRest = (name: string, at: number): Transform =>
    level(() => {
      scan.blank();
      const args = [argument()];
      scan.blank();
      while (scan.word(",")) {
        scan.blank();
        args.push(argument());
        scan.blank();
      }
      return closeTransform(name, args, at);
    });

  const closeTransform = (name: string, args: readonly Operand[], at: number): Transform => {
    if (!scan.word(")")) fail("expected a ')' token closing the transformer");
    const arg = bracketed();
    return { kind: "transform", name, args, at, ...(arg !== undefined && { arg }) };
  };

  const number = (): boolean => scan.pattern(patterns.hexNumber) || scan.pattern(patterns.number);

  const argument = (): Operand =>
    level(() => {
      scan.blank();
      const at = scan.position;
      if (number()) return { kind: "literal", text: scan.token, at };
      if (scan.quoted()) return { kind: "literal", text: scan.token, at };
      if (scan.word("(")) return argumentList(at);
      if (scan.oneOf(transformerTokens)) return transformRest(scan.token.slice(0, -1), at);
      if (scan.pattern(patterns.fieldName)) return fieldRest(scan.token, at);
      return fail(
        "expected field transformer argument: field, transformer, quoted string, number, or transformer list",
      );
    });

  const argumentList = (at: number): Operand => {
    scan.blank();
    const items: Operand[] = [];
    if (scan.word(")")) return { kind: "list", items, at };
    do {
      scan.blank();
      items.push(listArgument());
      scan.blank();
    } while (scan.word(","));
    return scan.word(")") ? { kind: "list", items, at } : fail("expected ')'");
  };

  const listArgument = (): Operand => {
    const at = scan.position;
    if (scan.pattern(patterns.fieldName)) return fieldRest(scan.token, at);
    if (scan.oneOf(transformerTokens)) return transformRest(scan.token.slice(0, -1), at);
    if (scan.quoted() || number()) return { kind: "literal", text: scan.token, at };
    return fail("expected transformer list argument: field, transformer, quoted string, or number");
  };

  const comparison = (left: Operand, at: number): Expression =>
    level(() => {
      scan.blank();
      if (scan.word("exists")) return { kind: "check", operator: "exists", left, at };
      if (scan.oneOf(numericOperators)) {
        const operator = scan.token;
        return { kind: "check", operator, left, right: numericRight(), at };
      }
      const operator = stringOperator();
      if (operator !== undefined) {
        const modifier = modifierAfter();
        if (modifier !== undefined) return { kind: "check", operator, modifier, left, right: listRight(), at };
        return { kind: "check", operator, left, right: stringRight(), at };
      }
      if (scan.oneOf(listOperators)) {
        const operator = scan.token;
        return { kind: "check", operator, left, right: listRight(), at };
      }
      return fail(`expected a valid check operator: one of ${quote(operators)}`);
    });

  /** Symbols stand alone; words need a blank behind them. */
  let blankFollowed = false;
  const stringOperator = (): string | undefined =>
    stringOperators.find((operator) => {
      const symbol = !/[a-z]/.test(operator);
      const found = symbol ? scan.word(operator) : scan.wordAndBlank(operator);
      if (found) blankFollowed = !symbol;
      return found;
    });

  const modifierAfter = (): string | undefined => {
    const blank = scan.blank() || blankFollowed;
    if (!blank || !scan.peek(modifierAhead)) return undefined;
    return modifiers.find((modifier) => scan.wordAndBlank(modifier));
  };

  const numericRight = (): Right =>
    level(() => {
      scan.blank();
      const at = scan.position;
      const operand = rightOperand();
      if (operand !== undefined) return operand;
      if (number()) return { kind: "values", values: [scan.token], at };
      return fail(`expected a number value or a field with a valid transformer: ${transformerWords}`);
    });

  const stringRight = (): Right =>
    level(() => {
      scan.blank();
      const at = scan.position;
      const operand = rightOperand();
      if (operand !== undefined) return operand;
      if (scan.quoted() || scan.pattern(patterns.bare)) return { kind: "values", values: [scan.token], at };
      return fail(`expected a string value or a field with a valid transformer: ${transformerWords}`);
    });

  const listItem = (): string =>
    level(() => {
      scan.blank();
      return scan.quoted() || scan.pattern(patterns.bare) ? scan.token : fail("expected a string value");
    });

  const listRight = (): Right =>
    level(() => {
      scan.blank();
      const at = scan.position;
      if (scan.word("(")) return list(at);
      const operand = rightOperand();
      if (operand !== undefined) return operand;
      if (scan.pattern(patterns.identifier)) return { kind: "values", values: [scan.token], at };
      return fail(`expected a list, an identifier, or a field with a valid transformer: ${transformerWords}`);
    });

  const list = (at: number): Values => {
    const values: string[] = [];
    scan.blank();
    try {
      values.push(listItem());
    } catch (error) {
      // Whatever is wrong with the first item, the list counts as empty and must close here.
      if (!(error instanceof SyntaxFault)) throw error;
    }
    scan.blank();
    while (values.length > 0 && scan.word(",")) {
      values.push(listItem());
      scan.blank();
    }
    return scan.word(")") ? { kind: "values", values, at } : fail("expected a ')' token");
  };

  const rightOperand = (): FieldUse | Transform | undefined =>
    level(() => {
      scan.blank();
      const at = scan.position;
      if (scan.word("val(")) {
        scan.blank();
        const fieldAt = scan.position;
        if (!scan.pattern(patterns.fieldName)) fail("expected a field within 'val' transformer");
        const field = fieldRest(scan.token, fieldAt);
        scan.blank();
        return closeTransform("val", [field], at);
      }
      if (!scan.oneOf(transformerTokens)) return undefined;
      return transformRest(scan.token.slice(0, -1), at);
    });

  return {
    position: () => scan.position,
    condition: () => {
      if (text === "") fail("filter input string is empty");
      const made = or();
      return scan.atEnd ? made : fail(`unexpected token after '${scan.token}', expecting 'or', 'and'`);
    },
    fieldOrTransform: () => {
      const at = scan.position;
      if (scan.oneOf(transformerTokens)) return transformRest(scan.token.slice(0, -1), at);
      if (scan.pattern(patterns.fieldName)) return fieldRest(scan.token, at);
      return fail("expected a field or a valid transformer");
    },
  };
};

/** A modifier counts as one when a list follows: parentheses, or a bare name that is no `or`/`and`. */
const modifierAhead = /(?:oneof|anyof|allof)[ \t\x08\r\n]+(?!(?:or|and)(?:[ \t\x08\r\n(]|$))[(a-zA-Z]/y;
