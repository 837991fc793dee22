import { fail, type Token } from "./lex.ts";
import type { Node } from "./nodes.ts";

/** Where parsing stands: the tokens left, the variables in scope. Mutable, and local to one parse. */
export interface TokenReader {
  readonly source: string;
  /** Functions beside Go's own. */
  readonly extra: readonly string[];
  readonly tokens: readonly Token[];
  next: number;
  readonly variables: string[];
  loops: number;
  depth: number;
  readonly named: Map<string, readonly Node[]>;
}

/** The next token, which stays. */
export const peek = (reader: TokenReader): Token => reader.tokens[reader.next] as Token;

/** The next token, which is passed; `end` is never passed. */
export const take = (reader: TokenReader): Token => {
  const token = peek(reader);
  if (token.kind !== "end") reader.next++;
  return token;
};

/** Passes blanks; the token behind them. */
export const skipSpace = (reader: TokenReader): Token => {
  while (peek(reader).kind === "space") reader.next++;
  return peek(reader);
};

/** Throws TemplateError at a token that cannot stand there. */
export const unexpected = (reader: TokenReader, token: Token, where: string): never =>
  fail(
    reader.source,
    token.at,
    token.kind === "end" ? "unexpected end of the template" : `unexpected ${shown(token)} in ${where}`,
  );

const shown = (token: Token): string => (token.kind === "space" ? "space" : `"${token.text}"`);

const maxNesting = 100;

/** Reads one level deeper. */
export const enter = <T>(reader: TokenReader, read: () => T): T => {
  if (++reader.depth > maxNesting) fail(reader.source, peek(reader).at, `nested deeper than ${maxNesting}`);
  const value = read();
  reader.depth--;
  return value;
};
