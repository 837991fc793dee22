/** Where one JSON value ends, by the strict grammar of RFC 8259, without recursion: the slow path behind `jsonValues`. */

export interface Span {
  /** Offset after the value, or of the first character that cannot be part of it. */
  readonly at: number;
  /** Absent: the value is whole. */
  readonly fault?: string;
}

const blank = /[ \t\n\r]*/y;
const word = /true|false|null/y;
const [zero, nine, minus, plus, point] = [0x30, 0x39, 0x2d, 0x2b, 0x2e];
const special = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|["\\\u0000-\u001f]/g;

export const skipBlank = (text: string, at: number): number => {
  blank.lastIndex = at;
  blank.test(text);
  return blank.lastIndex;
};

/** Offset of the quote that closes the string opened at `open`, escapes unchecked; -1: none. */
export const stringClose = (text: string, open: number): number => {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let slash = close - 1;
    while (text.charCodeAt(slash) === 92) slash--;
    if ((close - slash) % 2 === 1) return close;
  }
  return -1;
};

const wrong = (text: string, at: number): Span => ({
  at: Math.min(at, text.length),
  fault: at >= text.length ? "the value is not finished" : "unexpected character",
});

const scanString = (text: string, open: number): Span => {
  special.lastIndex = open + 1;
  for (let m = special.exec(text); m !== null; m = special.exec(text)) {
    const found = m[0];
    if (found === '"') return { at: m.index + 1 };
    if (found.length === 1) return wrong(text, m.index);
  }
  return wrong(text, text.length);
};

const scanScalar = (text: string, at: number): Span => {
  if (text[at] === '"') return scanString(text, at);
  word.lastIndex = at;
  const end = word.test(text) ? word.lastIndex : numberEnd(text, at);
  return end > at ? { at: end } : wrong(text, at);
};

const digitsEnd = (text: string, at: number): number => {
  for (let end = at; ; end++) {
    const c = text.charCodeAt(end);
    if (!(c >= zero && c <= nine)) return end;
  }
};

/** Of the longest number at `at`; `at`: there is none. No pattern: those overflow on millions of digits. */
const numberEnd = (text: string, at: number): number => {
  const start = text.charCodeAt(at) === minus ? at + 1 : at;
  let end = text.charCodeAt(start) === zero ? start + 1 : digitsEnd(text, start);
  if (end === start) return at;
  if (text.charCodeAt(end) === point) {
    const fraction = digitsEnd(text, end + 1);
    if (fraction > end + 1) end = fraction;
  }
  if (text[end] !== "e" && text[end] !== "E") return end;
  const sign = text.charCodeAt(end + 1);
  const power = end + (sign === minus || sign === plus ? 2 : 1);
  const exponent = digitsEnd(text, power);
  return exponent > power ? exponent : end;
};

/** From a key to the first character of its value. */
const scanKey = (text: string, at: number): Span => {
  if (text[at] !== '"') return wrong(text, at);
  const key = scanString(text, at);
  if (key.fault !== undefined) return key;
  const colon = skipBlank(text, key.at);
  return text[colon] === ":" ? { at: skipBlank(text, colon + 1) } : wrong(text, colon);
};

/** Scans the value that starts at `at` (no blank before it). */
export const scanValue = (text: string, at: number, maxDepth: number): Span => {
  const closers: string[] = [];
  let pos = at;
  for (;;) {
    const opener = text[pos];
    let end = pos + 1;
    if (opener === "{" || opener === "[") {
      const closer = opener === "{" ? "}" : "]";
      if (closers.length >= maxDepth) return { at: pos, fault: `nested deeper than ${maxDepth}` };
      end = skipBlank(text, end);
      if (text[end] !== closer) {
        closers.push(closer);
        const start = opener === "{" ? scanKey(text, end) : { at: end };
        if (start.fault !== undefined) return start;
        pos = start.at;
        continue;
      }
      end++;
    } else {
      const scalar = scanScalar(text, pos);
      if (scalar.fault !== undefined) return scalar;
      end = scalar.at;
    }
    const next = afterValue(text, end, closers);
    if (next.fault !== undefined || closers.length === 0) return next;
    pos = next.at;
  }
};

/** Closes what closes after a value; ends at the next value's start, or at the end of it all. */
const afterValue = (text: string, end: number, closers: string[]): Span => {
  let pos = end;
  for (;;) {
    const closer = closers.at(-1);
    if (closer === undefined) return { at: pos };
    const next = skipBlank(text, pos);
    if (text[next] === closer) {
      closers.pop();
      pos = next + 1;
    } else if (text[next] === ",") {
      const item = skipBlank(text, next + 1);
      return closer === "}" ? scanKey(text, item) : { at: item };
    } else return wrong(text, next);
  }
};
