/** Go's template language as tokens. */
import { TemplateError } from "./error.ts";
import { unquoteChar, unquoteText } from "./literal.ts";

/** One token; `at` is its offset in the source, `text` what it says (a string without its quotes and escapes). */
export type Token =
  | {
      readonly kind: "text" | "field" | "variable" | "name" | "string" | "number";
      readonly at: number;
      readonly text: string;
    }
  | { readonly kind: "char"; readonly at: number; readonly text: string }
  | { readonly kind: "open" | "close" | "space" | "punct" | "end"; readonly at: number; readonly text: string };

const inside = new RegExp(
  [
    /(?<space>[ \t\r\n]+)/u,
    /(?<string>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)/u,
    /(?<char>'(?:[^'\\\n]|\\[^\n])*')/u,
    /(?<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?))/u,
    /(?<field>\.[\p{L}\p{Nd}_]+)/u,
    /(?<variable>\$[\p{L}\p{Nd}_]*)/u,
    /(?<name>[\p{L}_][\p{L}\p{Nd}_]*)/u,
    /(?<punct>:=|=|\||,|\(|\)|\.)/u,
  ]
    .map((part) => part.source)
    .join("|"),
  "uy",
);

/** What may follow a field, a variable, a name or a number. */
const boundary = /[\s.,|:()=]|-?\}\}|$/y;

/** The error for an offset of the source: `line 1 column 3: …`, both from 1. */
export const failure = (source: string, at: number, message: string): TemplateError => {
  const lines = source.slice(0, at).split("\n");
  return new TemplateError(`line ${lines.length} column ${(lines.at(-1) ?? "").length + 1}: ${message}`);
};

/** Throws `failure`. */
export const fail = (source: string, at: number, message: string): never => {
  throw failure(source, at, message);
};

const commentEnd = /\*\/(?:[ \t\r\n]+-)?\}\}/g;

/** All tokens of a template, `end` last. Throws TemplateError at what is none. */
export const lex = (source: string): readonly Token[] => {
  const tokens: Token[] = [];
  let pos = 0;
  let trimNext = false;
  const text = (to: number, trimEnd: boolean) => {
    let piece = source.slice(pos, to);
    if (trimNext) piece = piece.replace(/^[ \t\r\n]+/, "");
    if (trimEnd) piece = trimBlankEnd(piece);
    if (piece !== "") tokens.push({ kind: "text", at: pos, text: piece });
  };
  for (;;) {
    const open = source.indexOf("{{", pos);
    if (open < 0) {
      text(source.length, false);
      tokens.push({ kind: "end", at: source.length, text: "" });
      return tokens;
    }
    const trim = /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    text(open, trim);
    trimNext = false;
    pos = open + (trim ? 4 : 2);
    if (trim) while (/[ \t\r\n]/.test(source[pos] ?? "")) pos++;
    if (source.startsWith("/*", pos)) {
      commentEnd.lastIndex = pos + 2;
      const end = commentEnd.exec(source) ?? fail(source, open, "unclosed comment");
      const first = source.indexOf("*/", pos + 2);
      if (first !== end.index) fail(source, first, "comment ends before closing delimiter");
      trimNext = end[0].includes("-");
      pos = commentEnd.lastIndex;
      continue;
    }
    tokens.push({ kind: "open", at: open, text: "{{" });
    ({ pos, trimNext } = action(source, pos, tokens));
  }
};

const action = (source: string, start: number, tokens: Token[]): { pos: number; trimNext: boolean } => {
  let pos = start;
  let depth = 0;
  for (;;) {
    const closing = /^(?:[ \t\r\n]+-)?\}\}/.exec(source.slice(pos, pos + 64)) ?? trimmedClose(source, pos);
    if (closing) {
      if (depth > 0) fail(source, pos, "unclosed left paren");
      const end = pos + closing[0].length;
      tokens.push({ kind: "close", at: pos, text: "}}" });
      return { pos: end, trimNext: closing[0].length > 2 };
    }
    inside.lastIndex = pos;
    const groups = inside.exec(source)?.groups;
    const found = groups && Object.entries(groups).find(([, value]) => value !== undefined);
    if (found === undefined)
      return fail(source, pos, pos >= source.length ? "unclosed action" : unexpected(source, pos));
    const [kind, text] = found as [Token["kind"], string];
    const next = inside.lastIndex;
    if (kind === "field" || kind === "variable" || kind === "name" || kind === "number") {
      boundary.lastIndex = next;
      if (!boundary.test(source))
        fail(source, pos, kind === "number" ? "bad number syntax" : "bad character in a name");
    }
    if (text === "(") depth++;
    if (text === ")" && --depth < 0) fail(source, pos, "unexpected right paren");
    tokens.push({ kind, at: pos, text: literalText(source, pos, kind, text) } as Token);
    pos = next;
  }
};

const trimmedClose = (source: string, pos: number): RegExpExecArray | null => {
  const long = /[ \t\r\n]+-\}\}/y;
  long.lastIndex = pos;
  return long.exec(source);
};

const literalText = (source: string, at: number, kind: string, text: string): string => {
  if (kind === "string") return unquoteText(text) ?? fail(source, at, "invalid syntax in a string");
  if (kind === "char") return unquoteChar(text) ?? fail(source, at, "malformed character constant");
  return text;
};

const unexpected = (source: string, pos: number): string => {
  const c = source[pos];
  if (c === '"') return "unterminated quoted string";
  if (c === "`") return "unterminated raw quoted string";
  if (c === "'") return "unterminated character constant";
  return "unexpected character";
};

const trimBlankEnd = (text: string): string => {
  let end = text.length;
  while (end > 0 && " \t\r\n".includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
};
