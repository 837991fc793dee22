/** JSON as other programs write it: numbers keep their text, and one text may hold several values. */

import { type Span, scanValue, skipBlank, stringClose } from "./scan.ts";
import { numberFromText } from "./verbatim.ts";

/** The text is not JSON. The message names the place, never the text. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** Levels of arrays and objects that a value may have. */
const maxDepth = 10_000;

/**
 * JSON.parse, except that a number whose text a double cannot carry becomes a RawNumber. Of equal keys the last wins;
 * `__proto__` is a key like any other. Throws JsonError; never overflows the stack.
 */
export const parseJson = (text: string): unknown => {
  const parsed = parse(text);
  if (parsed !== undefined) return parsed;
  const start = skipBlank(text, 0);
  if (start >= text.length) throw new JsonError("no JSON value");
  const span = scanValue(text, start, maxDepth);
  const at = span.fault === undefined ? skipBlank(text, span.at) : span.at;
  throw new JsonError(`${placeIn(text)(0, at)}: ${span.fault ?? "text after the value"}`);
};

/** The value (never undefined), or undefined when the text is not one JSON value. */
const parse = (text: string): unknown => {
  if (tooDeep(text)) return undefined;
  try {
    const mark = freeMark(text);
    // Throws RangeError for a number of some ten million digits.
    const marked = markNumbers(text, mark);
    return marked === undefined ? JSON.parse(text) : unmark(JSON.parse(marked), mark);
  } catch {
    return undefined;
  }
};

// A number, as a value, that a double may not carry: a fraction, an exponent, sixteen digits or more, minus zero.
const literal =
  /(?:^|[:,[])[ \t\n\r]*(-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)|-?[1-9]\d{15,}|-0)(?=[ \t\n\r]*(?:[,\]}]|$))/g;

/**
 * Literals travel through JSON.parse as strings that begin with NUL. Nobody can forge one: NUL can only be written as an
 * escape, and where the text has such escapes the mark is one that does not occur in it: of n marks one of n + 1 is free.
 */
const freeMark = (text: string): string => {
  if (!text.includes("\\u0000")) return "\u0000";
  let count = 0;
  for (let at = text.indexOf("\\u0000"); at >= 0; at = text.indexOf("\\u0000", at + 6)) count++;
  const taken = new Uint8Array(count + 1);
  const mark = /\\u0000(\d{1,15});/g;
  for (let m = mark.exec(text); m !== null; m = mark.exec(text)) {
    const n = Number(m[1]);
    if (n <= count) taken[n] = 1;
  }
  return `\u0000${taken.indexOf(0)};`;
};

/** The text with the literals as marked strings; undefined when there are none. */
const markNumbers = (text: string, mark: string): string | undefined => {
  let out = "";
  let copied = 0;
  let outside = 0; // every string that starts before this offset ends before it
  let open = nextQuote(text, 0);
  literal.lastIndex = 0;
  for (let m = literal.exec(text); m !== null; m = literal.exec(text)) {
    const number = m[1] as string;
    const end = literal.lastIndex;
    const start = end - number.length;
    while (open < start) {
      outside = stringClose(text, open) + 1;
      if (outside === 0) return undefined; // the string has no end: no JSON anyway
      open = nextQuote(text, outside);
    }
    if (outside > start) {
      literal.lastIndex = outside;
      continue;
    }
    if (String(Number(number)) === number) continue;
    out += `${text.slice(copied, start)}"\\u0000${mark.slice(1)}${number}"`;
    copied = end;
  }
  return copied === 0 ? undefined : out + text.slice(copied);
};

const nextQuote = (text: string, from: number): number => {
  const at = text.indexOf('"', from);
  return at < 0 ? text.length : at;
};

type Node = Record<string | number, unknown>;

/** Puts the literals in place of the marked strings, in the tree that JSON.parse just made. */
const unmark = (root: unknown, mark: string): unknown => {
  const holder: Node = { root };
  const open: Node[] = [holder];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    // An assignment to `__proto__` meets the own property that JSON.parse made, not the accessor.
    for (const key of Array.isArray(node) ? node.keys() : Object.keys(node)) {
      const value = node[key];
      if (typeof value === "object") {
        if (value !== null) open.push(value as Node);
      } else if (typeof value === "string" && value.charCodeAt(0) === 0 && value.startsWith(mark)) {
        node[key] = numberFromText(value.slice(mark.length));
      }
    }
  }
  return holder.root;
};

const tooDeep = (text: string): boolean => {
  if (text.length <= 2 * maxDepth || !manyOpeners(text)) return false;
  const structure = /["{}[\]]/g;
  let depth = 0;
  for (let m = structure.exec(text); m !== null; m = structure.exec(text)) {
    const c = m[0];
    if (c === '"') {
      const close = stringClose(text, m.index);
      if (close < 0) return false;
      structure.lastIndex = close + 1;
    } else depth += c === "{" || c === "[" ? 1 : -1;
    if (depth > maxDepth) return true;
  }
  return false;
};

const manyOpeners = (text: string): boolean => {
  let count = 0;
  for (const opener of ["{", "["]) {
    for (let at = text.indexOf(opener); at >= 0 && count <= maxDepth; at = text.indexOf(opener, at + 1)) count++;
  }
  return count > maxDepth;
};

export type JsonPart =
  | { readonly value: unknown; readonly start: number; readonly end: number }
  /** `fault` is for people: `line 3 column 9: unexpected character`. Reading went on at `end`. */
  | { readonly fault: string; readonly start: number; readonly end: number };

/**
 * The values of a text that holds one, several after each other, or one a line. After a broken value reading goes on at
 * the next line that starts with `{` or `[`. A blank text yields nothing. Time is linear in the length of the text.
 */
export function* jsonValues(text: string): Generator<JsonPart> {
  const place = placeIn(text);
  let again = 4 * text.length; // characters that broken values may make us read twice
  let scanTo = 0; // before this offset the shortcut is known to fail
  const first = skipBlank(text, 0);
  let pos = first;
  while (pos < text.length) {
    let part: JsonPart | undefined;
    if (pos >= scanTo) {
      scanTo = lineEnd(text, pos);
      part = shortcut(text, pos, scanTo, pos === first);
    }
    if (part === undefined) {
      const span = scanValue(text, pos, maxDepth);
      part = fromSpan(text, pos, span, again > 0 ? pos : span.at, place);
      if ("fault" in part) again -= span.at - pos;
    }
    yield part;
    pos = skipBlank(text, part.end);
  }
}

/** The value of a text that is one line and one value, as most are; undefined: `jsonValues` knows more. */
export const oneJsonValue = (text: string): unknown => (text.includes("\n") ? undefined : parse(text));

const lineEnd = (text: string, at: number): number => {
  const newline = text.indexOf("\n", at);
  return newline < 0 ? text.length : newline;
};

/** Without a scan: the line, which ends at `end`, is one value, or all of the text is. */
const shortcut = (text: string, start: number, end: number, first: boolean): JsonPart | undefined => {
  for (const stop of first && end < text.length ? [end, text.length] : [end]) {
    const value = parse(start === 0 && stop === text.length ? text : text.slice(start, stop));
    if (value !== undefined) return { value, start, end: stop };
  }
  return undefined;
};

const fromSpan = (text: string, start: number, span: Span, from: number, place: Place): JsonPart => {
  if (span.fault !== undefined) {
    return { fault: `${place(start, span.at)}: ${span.fault}`, start, end: nextLine(text, from) };
  }
  const value = parse(text.slice(start, span.at));
  if (value !== undefined) return { value, start, end: span.at };
  return { fault: `${place(start, start)}: not readable`, start, end: span.at };
};

const nextLine = (text: string, from: number): number => {
  for (let feed = text.indexOf("\n", from); feed >= 0; feed = text.indexOf("\n", feed + 1)) {
    const start = skipBlank(text, feed);
    if (text[start] === "{" || text[start] === "[") return start;
    feed = start - 1;
  }
  return text.length;
};

/** `line 3 column 9` of a fault at `at` in the value that starts at `start`. */
type Place = (start: number, at: number) => string;

/** Remembers where it was: starts come in ascending order. */
const placeIn = (text: string): Place => {
  let known = { line: 1, begin: 0 };
  const upTo = (from: { line: number; begin: number }, at: number) => {
    let { line, begin } = from;
    for (let next = text.indexOf("\n", begin); next >= 0 && next < at; next = text.indexOf("\n", begin)) {
      line++;
      begin = next + 1;
    }
    return { line, begin };
  };
  return (start, at) => {
    known = upTo(known, start);
    const { line, begin } = upTo(known, at);
    return `line ${line} column ${at - begin + 1}`;
  };
};
