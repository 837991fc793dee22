import { skipString } from "./grammar.ts";

const letters: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

const hex4 = /^[0-9a-fA-F]{4}$/;

/**
 * The string that the text between two quotes stands for. What is no escape stays as it is written; a high surrogate
 * alone stays written, a surrogate with a wrong partner becomes one U+FFFD (reference: k8saudit §1).
 */
export const unescapeJson = (raw: string): string => {
  let slash = raw.indexOf("\\");
  if (slash < 0) return raw;
  let out = "";
  let from = 0;
  while (slash >= 0) {
    out += raw.slice(from, slash);
    const letter = raw.charAt(slash + 1);
    const plain = letters[letter];
    from = slash + 2;
    if (plain !== undefined) out += plain;
    else if (letter !== "u") out += "\\" + letter;
    else {
      const [text, length] = unescapeUnit(raw, from);
      out += text;
      from += length;
    }
    slash = raw.indexOf("\\", from);
  }
  return out + raw.slice(from);
};

/** What `\u` followed by the text at `at` stands for, and how many characters of it that took. */
const unescapeUnit = (raw: string, at: number): readonly [string, number] => {
  const digits = raw.slice(at, at + 4);
  if (!hex4.test(digits)) return ["\\u", 0];
  const unit = Number.parseInt(digits, 16);
  if (unit < 0xd800 || unit > 0xdfff) return [String.fromCharCode(unit), 4];
  const second = raw.slice(at + 6, at + 10);
  if (raw.charAt(at + 4) !== "\\" || raw.charAt(at + 5) !== "u" || !hex4.test(second)) return ["\\u" + digits, 4];
  const low = Number.parseInt(second, 16);
  const pair = unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff;
  return [pair ? String.fromCharCode(unit, low) : "\ufffd", 10];
};

/** Whether there may be an escape that JSON does not need. */
const mayBePlainer = (json: string): boolean => json.includes("\\") && (json.includes("\\u") || json.includes("\\/"));

/** JSON text whose strings are written without escapes where they can be: `\u0065` is `e`. The same text when it has none. */
export const plainEscapes = (json: string): string => {
  if (!mayBePlainer(json)) return json;
  let out = "";
  let kept = 0;
  for (let slash = json.indexOf("\\"), open = json.indexOf('"'); slash >= 0 && open >= 0; ) {
    const close = skipString(json, open + 1);
    if (close < 0) break;
    if (slash < close) {
      out += json.slice(kept, open) + JSON.stringify(unescapeJson(json.slice(open + 1, close - 1)));
      kept = close;
      slash = json.indexOf("\\", close);
    }
    open = json.indexOf('"', close);
  }
  return out + json.slice(kept);
};
