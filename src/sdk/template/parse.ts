import { fail, lex } from "./lex.ts";
import type { Node, Program } from "./nodes.ts";
import { parsePipeline } from "./parse-pipeline.ts";
import { enter, peek, skipSpace, type TokenReader, take, unexpected } from "./reader.ts";

/** Throws TemplateError with the place. */
export const parse = (source: string, extra: readonly string[] = []): Program => {
  const reader: TokenReader = {
    source,
    extra,
    tokens: lex(source),
    next: 0,
    variables: ["$"],
    loops: 0,
    depth: 0,
    named: new Map(),
  };
  const { nodes, stop } = list(reader, true);
  if (stop !== "") fail(source, peek(reader).at, `unexpected {{${stop}}}`);
  return { source, main: nodes, named: reader.named };
};

/** A name given as a string literal: `{{template "x"}}`. */
const quotedName = (reader: TokenReader, where: string): string => {
  const token = skipSpace(reader);
  if (token.kind !== "string") unexpected(reader, token, where);
  return take(reader).text;
};

const close = (reader: TokenReader, where: string): void => {
  const token = skipSpace(reader);
  if (token.kind !== "close") unexpected(reader, token, where);
  take(reader);
};

interface List {
  readonly nodes: Node[];
  /** `end` or `else`, already taken; empty at the end of the template. */
  readonly stop: "end" | "else" | "";
}

const list = (reader: TokenReader, top = false): List => {
  const nodes: Node[] = [];
  for (;;) {
    const token = take(reader);
    if (token.kind === "end") {
      if (!top) fail(reader.source, token.at, "unexpected end of the template");
      return { nodes, stop: "" };
    }
    if (token.kind === "text") {
      nodes.push({ do: "text", text: token.text });
      continue;
    }
    const word = skipSpace(reader);
    const keyword = word.kind === "name" ? word.text : "";
    if (keyword === "end" || keyword === "else") {
      take(reader);
      if (keyword === "end") close(reader, "end");
      return { nodes, stop: keyword };
    }
    const node = statement(reader, keyword, top);
    if (node !== undefined) nodes.push(node);
  }
};

const statement = (reader: TokenReader, keyword: string, top: boolean): Node | undefined => {
  const { at } = peek(reader);
  switch (keyword) {
    case "if":
    case "with":
    case "range":
      take(reader);
      return control(reader, keyword);
    case "break":
    case "continue":
      take(reader);
      if (reader.loops === 0) fail(reader.source, at, `{{${keyword}}} outside {{range}}`);
      close(reader, keyword);
      return { do: keyword };
    case "define":
      if (!top) unexpected(reader, take(reader), "command");
      take(reader);
      define(reader);
      return undefined;
    case "template": {
      take(reader);
      const name = quotedName(reader, "template clause");
      if (skipSpace(reader).kind === "close") {
        take(reader);
        return { do: "template", at, name };
      }
      return { do: "template", at, name, pipe: parsePipeline(reader, "template clause", "close") };
    }
    case "block": {
      take(reader);
      const name = quotedName(reader, "block clause");
      const pipe = parsePipeline(reader, "block clause", "close");
      named(reader, name);
      return { do: "template", at, name, pipe };
    }
    default:
      return { do: "print", pipe: parsePipeline(reader, "command", "close") };
  }
};

/** Bodies of `define` and `block`: variables of the surroundings are out of sight. */
const named = (reader: TokenReader, name: string): void => {
  const outer = reader.variables.splice(0, reader.variables.length, "$");
  const loops = reader.loops;
  reader.loops = 0;
  const body = enter(reader, () => list(reader));
  if (body.stop !== "end") fail(reader.source, peek(reader).at, "unexpected {{else}} in a definition");
  const known = reader.named.get(name);
  if (known === undefined || isEmpty(known)) reader.named.set(name, body.nodes);
  else if (!isEmpty(body.nodes)) fail(reader.source, peek(reader).at, `multiple definition of template "${name}"`);
  reader.loops = loops;
  reader.variables.splice(0, reader.variables.length, ...outer);
};

const isEmpty = (nodes: readonly Node[]): boolean =>
  nodes.every((node) => node.do === "text" && node.text.trim() === "");

const define = (reader: TokenReader): void => {
  const name = quotedName(reader, "define clause");
  close(reader, "define clause");
  named(reader, name);
};

const control = (reader: TokenReader, keyword: "if" | "with" | "range"): Node =>
  enter(reader, () => {
    const mark = reader.variables.length;
    const pipe = parsePipeline(reader, keyword, "close", keyword === "range");
    if (keyword === "range") reader.loops++;
    const body = list(reader);
    if (keyword === "range") reader.loops--;
    let other: readonly Node[] | undefined;
    if (body.stop === "else") {
      const word = skipSpace(reader);
      if (keyword !== "range" && word.kind === "name" && word.text === keyword) {
        take(reader);
        other = [control(reader, keyword)];
      } else {
        close(reader, "else");
        const rest = list(reader);
        if (rest.stop !== "end") fail(reader.source, peek(reader).at, "expected end; found {{else}}");
        other = rest.nodes;
      }
    }
    reader.variables.length = mark;
    return { do: keyword, pipe, body: body.nodes, ...(other !== undefined && { other }) };
  });
