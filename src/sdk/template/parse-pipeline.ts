import { functionNames } from "./function-names.ts";
import { fail } from "./lex.ts";
import { readNumber } from "./literal.ts";
import type { Operand, Pipeline } from "./nodes.ts";
import { enter, peek, skipSpace, type TokenReader, take, unexpected } from "./reader.ts";

const keywords = new Set(["if", "with", "range", "else", "end", "define", "block", "template", "break", "continue"]);

/** A pipeline up to `}}` or `)`, which is taken too. */
export const parsePipeline = (reader: TokenReader, where: string, until: "close" | ")", range = false): Pipeline => {
  const start = skipSpace(reader);
  const { declare, assign } = declaration(reader, range);
  const commands: (readonly Operand[])[] = [];
  for (;;) {
    const token = skipSpace(reader);
    if (ends(token.kind, token.text, until)) {
      take(reader);
      break;
    }
    commands.push(command(reader, where));
  }
  checkCommands(reader, commands, where, start.at);
  // In scope only now: a declaration does not see itself.
  if (!assign) reader.variables.push(...declare);
  return { op: "pipe", at: start.at, declare, assign, commands };
};

const ends = (kind: string, text: string, until: "close" | ")"): boolean =>
  until === "close" ? kind === "close" : kind === "punct" && text === ")";

const checkCommands = (
  reader: TokenReader,
  commands: readonly (readonly Operand[])[],
  where: string,
  at: number,
): void => {
  if (commands.length === 0) fail(reader.source, at, `missing value for ${where}`);
  for (const [i, [first]] of commands.entries()) {
    if (i > 0 && first !== undefined && ["dot", "nil", "constant"].includes(first.op)) {
      fail(reader.source, first.at, `non executable command in pipeline stage ${i + 1}`);
    }
  }
};

const declaration = (reader: TokenReader, range: boolean): { declare: string[]; assign: boolean } => {
  const declare: string[] = [];
  const start = reader.next;
  for (;;) {
    const variable = skipSpace(reader);
    if (variable.kind !== "variable") break;
    take(reader);
    const sign = skipSpace(reader);
    if (sign.text === ":=" || sign.text === "=") {
      take(reader);
      declare.push(variable.text);
      const assign = sign.text === "=";
      if (assign) for (const name of declare) known(reader, name, variable.at);
      return { declare, assign };
    }
    if (sign.text !== "," || sign.kind !== "punct") break;
    if (!range || declare.length > 0) fail(reader.source, sign.at, "too many declarations");
    take(reader);
    declare.push(variable.text);
  }
  reader.next = start;
  return { declare: [], assign: false };
};

const known = (reader: TokenReader, name: string, at: number): void => {
  if (!reader.variables.includes(name)) fail(reader.source, at, `undefined variable "${name}"`);
};

const command = (reader: TokenReader, where: string): readonly Operand[] => {
  const operands: Operand[] = [];
  for (;;) {
    skipSpace(reader);
    const operand = readOperand(reader, where);
    if (operand !== undefined) operands.push(operand);
    const token = peek(reader);
    if (token.kind === "space") continue;
    if (token.kind === "punct" && token.text === "|") {
      take(reader);
      const next = skipSpace(reader);
      if (next.kind === "punct" && next.text !== "(" && next.text !== ".") {
        fail(reader.source, next.at, `missing value for ${where}`);
      }
      break;
    }
    if (token.kind === "close" || (token.kind === "punct" && token.text === ")")) break;
    unexpected(reader, token, "operand");
  }
  if (operands.length === 0) fail(reader.source, peek(reader).at, "empty command");
  return operands;
};

/** A term and the fields behind it; undefined where no term starts. */
const readOperand = (reader: TokenReader, where: string): Operand | undefined => {
  const term = readTerm(reader, where);
  if (term === undefined) return undefined;
  const path: string[] = [];
  while (peek(reader).kind === "field") path.push(take(reader).text.slice(1));
  if (path.length === 0) return term;
  switch (term.op) {
    case "field":
    case "variable":
      return { ...term, path: [...term.path, ...path] };
    case "dot":
    case "nil":
    case "constant":
      return fail(reader.source, term.at, `unexpected <.${path[0]}> after a term`);
    default:
      return { op: "chain", at: term.at, of: term, path };
  }
};

const readTerm = (reader: TokenReader, where: string): Operand | undefined => {
  const token = peek(reader);
  const { at, text } = token;
  switch (token.kind) {
    case "name":
      if (text === "true" || text === "false") return taken(reader, { op: "constant", at, value: text === "true" });
      if (text === "nil") return taken(reader, { op: "nil", at });
      if (keywords.has(text)) return unexpected(reader, token, where);
      if (!functionNames.has(text) && !reader.extra.includes(text))
        return fail(reader.source, at, `function "${text}" not defined`);
      return taken(reader, { op: "function", at, name: text });
    case "string":
      return taken(reader, { op: "constant", at, value: text });
    case "char":
      return taken(reader, { op: "constant", at, value: BigInt(text.codePointAt(0) ?? 0) });
    case "number": {
      const value = readNumber(text);
      if (value === undefined) return fail(reader.source, at, "bad number");
      return taken(reader, { op: "constant", at, value: typeof value === "bigint" ? value : { float: value } });
    }
    case "field":
      return taken(reader, { op: "field", at, path: [text.slice(1)] });
    case "variable":
      known(reader, text, at);
      return taken(reader, { op: "variable", at, name: text, path: [] });
    case "punct":
      if (text === ".") return taken(reader, { op: "dot", at });
      if (text !== "(") return undefined;
      take(reader);
      return enter(reader, () => parsePipeline(reader, "parenthesized pipeline", ")"));
    default:
      return undefined;
  }
};

const taken = (reader: TokenReader, operand: Operand): Operand => {
  take(reader);
  return operand;
};
