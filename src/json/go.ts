import { stringifyDeep } from "./deep.ts";

const unsafe = /[<>&\u2028\u2029]/g;
const escapes: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * JSON text the way Go's encoder writes it (`<`, `>`, `&`, U+2028/9 escaped, lone surrogates as U+FFFD): visible where
 * JSON travels as text.
 */
export const goJson = (value: unknown): string => {
  const text = stringify(value);
  const escaped = text.search(unsafe) < 0 ? text : text.replaceAll(unsafe, (c) => escapes[c] ?? c);
  // JSON.stringify writes a lone surrogate as an escape; nothing else makes `\ud` but a backslash before `ud`.
  return escaped.includes("\\ud")
    ? escaped.replaceAll(/\\(?:(ud[89a-f][0-9a-f]{2})|.)/g, (kept: string, lone?: string) => (lone ? "\ufffd" : kept))
    : escaped;
};

const stringify = (value: unknown): string => {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return stringifyDeep(value);
    throw error;
  }
};
