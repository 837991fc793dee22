import { toBytes } from "../file/context.ts";

/** fnmatch(3) without flags, over bytes: `*` crosses `/`, `[!x]`, `[[:alpha:]]`, backslash takes the next one literally. */
export type Glob = (text: string) => boolean;

/** A part of a pattern: one byte, any byte, any run, or a set. */
type Part = number | "any" | "run" | ((code: number) => boolean);

const ascii = /^[\x00-\x7f]*$/;

export const compileGlob = (pattern: string, foldCase = false): Glob => {
  const bytes = toBytes(pattern);
  const parts = parseGlob(foldCase ? foldAscii(bytes) : bytes);
  if (parts === undefined) return () => false;
  return (text) => {
    const plain = ascii.test(text) ? text : toBytes(text);
    return matchParts(parts, foldCase ? foldAscii(plain) : plain);
  };
};

/** Lower case for ASCII letters only. */
export const foldAscii = (text: string): string =>
  /[A-Z]/.test(text) ? text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;

/** Undefined: the pattern ends in a lone backslash and matches nothing. */
const parseGlob = (pattern: string): readonly Part[] | undefined => {
  const parts: Part[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (c === "*") {
      if (parts.at(-1) !== "run") parts.push("run");
    } else if (c === "?") parts.push("any");
    else if (c === "\\") {
      i++;
      if (i >= pattern.length) return undefined;
      parts.push(pattern.charCodeAt(i));
    } else if (c === "[") {
      const set = parseSet(pattern, i);
      if (set === undefined) parts.push(pattern.charCodeAt(i));
      else {
        parts.push(set.test);
        i = set.end;
      }
    } else parts.push(pattern.charCodeAt(i));
  }
  return parts;
};

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** The set that opens at `start`; undefined: it never closes, the bracket is itself. */
const parseSet = (pattern: string, start: number): { test: (code: number) => boolean; end: number } | undefined => {
  let i = start + 1;
  const negated = pattern[i] === "!" || pattern[i] === "^";
  if (negated) i++;
  const ranges: (readonly [number, number])[] = [];
  const named: RegExp[] = [];
  for (let first = true; first || pattern[i] !== "]"; first = false) {
    if (i >= pattern.length) return undefined;
    const found = /^\[:([a-z]+):\]/.exec(pattern.slice(i, i + 12));
    const known = found === null ? undefined : classes[found[1] ?? ""];
    if (found !== null && known !== undefined) {
      named.push(known);
      i += found[0].length;
      continue;
    }
    if (pattern[i] === "\\" && i + 1 < pattern.length) i++;
    const from = pattern.charCodeAt(i++);
    if (pattern[i] === "-" && i + 1 < pattern.length && pattern[i + 1] !== "]") {
      i++;
      if (pattern[i] === "\\" && i + 1 < pattern.length) i++;
      ranges.push([from, pattern.charCodeAt(i++)]);
    } else ranges.push([from, from]);
  }
  const test = (code: number): boolean =>
    negated !==
    (ranges.some(([from, to]) => code >= from && code <= to) ||
      named.some((known) => known.test(String.fromCharCode(code))));
  return { test, end: i };
};

/** Goes back at most to the last run: time is the product of the lengths. */
const matchParts = (parts: readonly Part[], text: string): boolean => {
  let p = 0;
  let t = 0;
  let runAt = -1;
  let runText = 0;
  while (t < text.length) {
    const part = parts[p];
    if (part === "run") {
      runAt = p++;
      runText = t;
    } else if (
      part !== undefined &&
      (part === "any" || (typeof part === "number" ? part === text.charCodeAt(t) : part(text.charCodeAt(t))))
    ) {
      p++;
      t++;
    } else if (runAt >= 0) {
      p = runAt + 1;
      t = ++runText;
    } else return false;
  }
  while (parts[p] === "run") p++;
  return p === parts.length;
};
