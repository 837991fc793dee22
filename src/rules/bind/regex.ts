import { RE2JS } from "re2js";

/**
 * RE2's POSIX dialect with full matches, run by a linear-time engine: no `\d`, no `(?…)`, no back references; `.`, `[^x]`
 * and classes never match a line feed; `^` and `$` also match at line ends.
 */
export interface Pattern {
  /** Whether the whole text matches. */
  matches(text: string): boolean;
}

/** What is wrong with a pattern, in RE2's words; undefined: it compiles. */
export const checkPattern = (pattern: string): string | undefined => {
  const translated = translate(pattern);
  if (typeof translated !== "string") return translated.fault;
  try {
    compile(translated);
    return undefined;
  } catch (error) {
    return reworded(error instanceof Error ? error.message : String(error));
  }
};

/** A pattern that `checkPattern` has passed. */
export const compilePattern = (pattern: string): Pattern => {
  const translated = translate(pattern);
  if (typeof translated !== "string") throw new RangeError(translated.fault);
  const compiled = compile(translated);
  return { matches: (text) => compiled.matches(text) };
};

const compile = (translated: string) => RE2JS.compile(translated, RE2JS.MULTILINE | RE2JS.LONGEST_MATCH);

const words: readonly (readonly [string, string])[] = [
  ["invalid repeat count", "invalid repetition size"],
  ["missing closing ]", "missing ]"],
  ["missing closing )", "missing )"],
  ["missing argument to repetition operator", "no argument for repetition operator"],
  ["invalid character class range", "invalid character class range"],
  ["trailing backslash at end of expression", "trailing \\"],
  ["expression too large", "pattern too large - compile failed"],
];

const reworded = (message: string): string => {
  const bare = message.replace(/^error parsing regexp: /, "").replaceAll("`", "");
  const found = words.find(([theirs]) => bare.startsWith(theirs));
  return found === undefined ? bare : found[1] + bare.slice(found[0].length);
};

interface Fault {
  readonly fault: string;
}

const controls: Readonly<Record<string, string>> = {
  a: "\\x07",
  f: "\\f",
  n: "\\n",
  r: "\\r",
  t: "\\t",
  v: "\\v",
};

/** The pattern in the engine's dialect. */
const translate = (pattern: string): string | Fault => {
  let out = "";
  /** Where the last atom began in `out`, for repetitions of repetitions. */
  let atom = -1;
  let repeated = false;
  const groups: number[] = [];
  for (let i = 0; i < pattern.length; ) {
    const c = pattern.charAt(i);
    const repeat = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(pattern.slice(i, i + 12))?.[0];
    if (repeat !== undefined) {
      const size = wrongSize(repeat);
      if (size) return { fault: `invalid repetition size: ${repeat}` };
      if (atom < 0) return { fault: `no argument for repetition operator: ${repeat}` };
      if (repeated) out = `${out.slice(0, atom)}(?:${out.slice(atom)})`;
      out += repeat;
      repeated = true;
      i += repeat.length;
      continue;
    }
    repeated = false;
    const start = out.length;
    if (c === "\\") {
      const escaped = translateEscape(pattern, i);
      if ("fault" in escaped) return escaped;
      out += escaped.text;
      i = escaped.next;
    } else if (c === "[") {
      const bracket = translateBracket(pattern, i);
      if ("fault" in bracket) return bracket;
      out += bracket.text;
      i = bracket.next;
    } else if (c === "(") {
      if (pattern.startsWith("(?", i)) return { fault: "no argument for repetition operator: ?" };
      groups.push(start);
      out += c;
      atom = -1;
      i++;
      continue;
    } else if (c === ")") {
      const open = groups.pop();
      if (open === undefined) return { fault: `unexpected ): ${pattern}` };
      out += c;
      atom = open;
      i++;
      continue;
    } else if (c === "|") {
      out += c;
      atom = -1;
      i++;
      continue;
    } else {
      const point = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
      out += point === "{" ? "\\{" : point;
      i += point.length;
    }
    atom = start;
  }
  return groups.length > 0 ? { fault: `missing ): ${pattern}` } : out;
};

const wrongSize = (repeat: string): boolean => {
  const found = /^\{(\d+)(?:,(\d*))?\}$/.exec(repeat);
  if (found === null) return false;
  const from = Number(found[1]);
  const to = found[2] ? Number(found[2]) : from;
  return from > 1000 || to > 1000 || to < from;
};

type Piece = { readonly text: string; readonly next: number } | Fault;

const translateEscape = (pattern: string, at: number): Piece => {
  const c = pattern.charAt(at + 1);
  if (c === "") return { fault: "trailing \\" };
  const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(pattern.slice(at + 1, at + 4))?.[0];
  if (octal !== undefined) return { text: codePoint(Number.parseInt(octal, 8)), next: at + 1 + octal.length };
  if (c === "x") {
    const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/.exec(pattern.slice(at + 1));
    const value = Number.parseInt(hex?.[1] ?? hex?.[2] ?? "", 16);
    if (hex === null || !(value <= 0x10ffff)) return { fault: `invalid escape sequence: ${pattern.slice(at, at + 3)}` };
    return { text: codePoint(value), next: at + 1 + hex[0].length };
  }
  const control = controls[c];
  if (control !== undefined) return { text: control, next: at + 2 };
  if (c === "C") return { text: "(?s:.)", next: at + 2 };
  const point = String.fromCodePoint(pattern.codePointAt(at + 1) ?? 0);
  if (/[A-Za-z0-9]/.test(point) || point === "_" || point.charCodeAt(0) >= 0x80)
    return { fault: `invalid escape sequence: \\${point}` };
  return { text: `\\${point}`, next: at + 2 };
};

const codePoint = (value: number): string => `\\x{${value.toString(16)}}`;

/** A bracket expression; a negated one and `[:space:]` leave the line feed out. */
const translateBracket = (pattern: string, at: number): Piece => {
  let i = at + 1;
  const negated = pattern[i] === "^";
  if (negated) i++;
  let inside = "";
  for (let first = true; first || pattern[i] !== "]"; first = false) {
    const c = pattern.charAt(i);
    if (c === "") return { fault: `missing ]: ${pattern.slice(at)}` };
    const named = /^\[:\^?[a-z]*:\]/.exec(pattern.slice(i, i + 16))?.[0];
    if (named !== undefined) {
      if (!posixClasses.has(named.replaceAll(/[[\]:^]/g, "")))
        return { fault: `invalid character class range: ${named}` };
      inside += named === "[:space:]" && !negated ? " \\t\\r\\f\\v" : named;
      i += named.length;
    } else if (c === "\\") {
      const escaped = translateEscape(pattern, i);
      if ("fault" in escaped) return escaped;
      inside += escaped.text;
      i = escaped.next;
    } else {
      const point = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
      inside += point === "[" || point === "]" ? `\\${point}` : point;
      i += point.length;
    }
  }
  return { text: negated ? `[^${inside}\\n]` : `[${inside}]`, next: i + 1 };
};

const posixClasses = new Set(
  "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split(" "),
);
