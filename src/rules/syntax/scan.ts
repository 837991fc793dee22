import { unescapeQuoted } from "./quote.ts";

/**
 * Takes tokens off the front of a text. Each method moves on and answers true, or leaves the position and answers false;
 * `token` is the last one taken. There is no word boundary after a word: `increate` is `in` and `create`.
 */
export interface Scanner {
  readonly text: string;
  readonly position: number;
  readonly token: string;
  readonly atEnd: boolean;
  blank(): boolean;
  word(word: string): boolean;
  oneOf(words: readonly string[]): boolean;
  /** A word that a blank must follow, blank included. */
  wordAndBlank(word: string): boolean;
  pattern(sticky: RegExp): boolean;
  quoted(): boolean;
  peek(sticky: RegExp): boolean;
}

export const patterns = {
  notAndBlank: /not[ \t\n\v\f\r]+/y,
  identifier: /[a-zA-Z]+[a-zA-Z0-9_]*/y,
  fieldName: /[a-zA-Z]+[a-zA-Z0-9_]*(?:\.[a-zA-Z]+[a-zA-Z0-9_]*)+/y,
  fieldArgument: /[^\]["' \t\n\v\f\r]+/y,
  hexNumber: /0[xX][0-9a-zA-Z]+/y,
  number: /[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y,
  bare: /[^()"' \t\n\v\f\r=,]+/y,
} as const;

const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 8 || code === 13 || code === 10;

export const createScanner = (text: string): Scanner => {
  let position = 0;
  let token = "";
  const word = (wanted: string): boolean => {
    if (!text.startsWith(wanted, position)) return false;
    position += wanted.length;
    token = wanted;
    return true;
  };
  return {
    text,
    get position() {
      return position;
    },
    get token() {
      return token;
    },
    get atEnd() {
      return position === text.length;
    },
    blank: () => {
      const start = position;
      while (position < text.length && isBlank(text.charCodeAt(position))) position++;
      return position > start;
    },
    word,
    oneOf: (words) => words.some(word),
    wordAndBlank: (wanted) => {
      const after = position + wanted.length;
      if (after >= text.length || !isBlank(text.charCodeAt(after)) || !word(wanted)) return false;
      position++;
      return true;
    },
    pattern: (sticky) => {
      sticky.lastIndex = position;
      const found = sticky.exec(text);
      if (found === null) return false;
      token = found[0];
      position += token.length;
      return true;
    },
    peek: (sticky) => {
      sticky.lastIndex = position;
      return sticky.test(text);
    },
    quoted: () => {
      const delimiter = text[position];
      if (delimiter !== '"' && delimiter !== "'") return false;
      // A delimiter behind a backslash never closes, even when that backslash is itself escaped.
      for (let i = position + 1; i < text.length && text.charCodeAt(i) !== 0; i++)
        if (text[i] === delimiter && text[i - 1] !== "\\") {
          const raw = text.slice(position + 1, i);
          position = i + 1;
          token = unescapeQuoted(raw, delimiter);
          return true;
        }
      return false;
    },
  };
};
