/**
 * The JSON grammar of audit events: the lenient one of Falco's audit plugins (reference: k8saudit §1): control
 * characters and unknown escapes in strings, numbers as any run of `0-9 + - . e E`, `inf` and `nan`; 300 levels.
 */

export const quote = 34;
const backslash = 92;

/** The deepest nesting taken, the root counted. */
export const maxDepth = 300;

/** Index after the closing quote; `at` is the first character after the opening one. -1: never closed. */
export const skipString = (text: string, at: number): number => {
  for (let from = at; ; ) {
    const end = text.indexOf('"', from);
    if (end < 0) return -1;
    let i = end;
    while (i > at && text.charCodeAt(i - 1) === backslash) i--;
    if (((end - i) & 1) === 0) return end + 1;
    from = end + 1;
  }
};

/** Index of the first character at or after `at` that is no blank. */
export const skipBlank = (text: string, at: number): number => {
  const c = text.charCodeAt(at);
  if (c > 32 || !isBlank(c)) return at;
  let i = at + 1;
  while (isBlank(text.charCodeAt(i))) i++;
  return i;
};

const isBlank = (c: number): boolean => c === 32 || c === 10 || c === 13 || c === 9;

/** Index after the value that starts at `at`, which is known to be JSON; the end of the text where it is not. */
export const skipValue = (text: string, at: number): number => {
  let i = at;
  let depth = 0;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      i = skipString(text, i + 1);
      if (i < 0) return text.length;
      if (depth === 0) return i;
      continue;
    }
    if ((c | 32) === 123) depth++;
    else if ((c | 32) === 125) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (Number.isNaN(c) || (depth === 0 && (c === 44 || c <= 32))) return Math.min(i, text.length);
    i++;
  }
};

/** `skipBlank` where blanks between tokens are allowed. */
export const gap = (text: string, at: number, blanks: boolean): number => (blanks ? skipBlank(text, at) : at);

/** Index after the value at `at`, nested `depth - 1` levels deep, every character checked; -1: not JSON. */
export const checkValue = (text: string, at: number, depth: number, blanks: boolean): number => {
  if (depth > maxDepth) return -1;
  const c = text.charCodeAt(at);
  if (c === quote) return skipString(text, at + 1);
  if (c === 123) return checkObject(text, at, depth, blanks);
  if (c === 91) return checkArray(text, at, depth, blanks);
  if (c === 116) return text.startsWith("true", at) ? at + 4 : -1;
  if (c === 102) return text.startsWith("false", at) ? at + 5 : -1;
  if (c === 110) return text.startsWith("null", at) ? at + 4 : /^nan/i.test(text.slice(at, at + 3)) ? at + 3 : -1;
  return checkNumber(text, at);
};

const checkObject = (text: string, at: number, depth: number, blanks: boolean): number => {
  let i = gap(text, at + 1, blanks);
  if (text.charCodeAt(i) === 125) return i + 1;
  for (;;) {
    if (text.charCodeAt(i) !== quote) return -1;
    i = skipString(text, i + 1);
    if (i < 0) return -1;
    i = gap(text, i, blanks);
    if (text.charCodeAt(i) !== 58) return -1;
    i = checkValue(text, gap(text, i + 1, blanks), depth + 1, blanks);
    if (i < 0) return -1;
    i = gap(text, i, blanks);
    const c = text.charCodeAt(i);
    if (c === 125) return i + 1;
    if (c !== 44) return -1;
    i = gap(text, i + 1, blanks);
  }
};

const checkArray = (text: string, at: number, depth: number, blanks: boolean): number => {
  let i = gap(text, at + 1, blanks);
  if (text.charCodeAt(i) === 93) return i + 1;
  for (;;) {
    i = checkValue(text, i, depth + 1, blanks);
    if (i < 0) return -1;
    i = gap(text, i, blanks);
    const c = text.charCodeAt(i);
    if (c === 93) return i + 1;
    if (c !== 44) return -1;
    i = gap(text, i + 1, blanks);
  }
};

const checkNumber = (text: string, at: number): number => {
  let i = at;
  for (;;) {
    const c = text.charCodeAt(i);
    if (!((c >= 48 && c <= 57) || c === 46 || c === 45 || c === 43 || c === 101 || c === 69)) break;
    i++;
  }
  const signed = i === at + 1 && (text.charCodeAt(at) === 45 || text.charCodeAt(at) === 43);
  if ((i === at || (signed && i < text.length)) && i < text.length)
    return /^(?:inf|nan)/i.test(text.slice(i, i + 3)) ? i + 3 : -1;
  return i > at ? i : -1;
};

const blank = /[ \t\r\n]/;

/** JSON text without the blanks between its tokens; the same string when there are none. */
export const compactJson = (text: string): string => {
  if (!blank.test(text)) return text;
  let out = "";
  let kept = 0;
  let i = 0;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      i = skipString(text, i + 1);
      if (i < 0) break;
    } else if (c <= 32) {
      out += text.slice(kept, i);
      i = skipBlank(text, i);
      if (i < text.length && text.charCodeAt(i) <= 32) i++;
      kept = i;
    } else i++;
  }
  return kept === 0 ? text : out + text.slice(kept);
};
