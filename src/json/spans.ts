import { quote, skipBlank, skipString, skipValue } from "./grammar.ts";

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

/** Of the value that begins there. */
export const kindAt = (text: string, at: number): JsonKind => {
  switch (text.charCodeAt(at)) {
    case 123:
      return "object";
    case 91:
      return "array";
    case quote:
      return "string";
    case 116:
      return "true";
    case 102:
      return "false";
    case 110:
      return text.charCodeAt(at + 1) === 117 ? "null" : "number";
    default:
      return "number";
  }
};

/**
 * Where the members of the container lie, whose text was found good. Object: key start, key end, value start, value end of
 * each; array: value start and end of each.
 */
export const spansOf = (text: string, start: number, end: number): number[] => {
  const spans: number[] = [];
  const object = text.charCodeAt(start) === 123;
  let i = skipBlank(text, start + 1);
  while (i < end - 1) {
    if (object) {
      const close = skipString(text, i + 1);
      if (close < 0) break;
      spans.push(i + 1, close - 1);
      i = skipBlank(text, skipBlank(text, close) + 1);
    }
    const stop = skipValue(text, i);
    spans.push(i, stop);
    i = skipBlank(text, skipBlank(text, stop) + 1);
  }
  return spans;
};

/** Whether a backslash stands in that part of the text. */
export const hasEscape = (text: string, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === 92) return true;
  return false;
};
