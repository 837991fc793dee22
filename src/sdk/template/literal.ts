/** Go's string, character and number literals. */

const escapes = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))|\\/g;

const simple: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** The text of a quoted or raw string; undefined: an escape that Go does not know. Bytes (`\xff`) read as Latin-1. */
export const unquoteText = (quoted: string): string | undefined => {
  if (quoted.startsWith("`")) return quoted.slice(1, -1).replaceAll("\r", "");
  return unescaped(quoted.slice(1, -1), "'");
};

/** The one character of `'c'`. */
export const unquoteChar = (quoted: string): string | undefined => {
  const text = unescaped(quoted.slice(1, -1), '"');
  return text !== undefined && [...text].length === 1 ? text : undefined;
};

const unescaped = (text: string, forbidden: string): string | undefined => {
  let bad = false;
  const out = text.replaceAll(escapes, (_, c, hex, u4, u8, octal) => {
    if (c !== undefined && c !== forbidden) return simple[c] ?? "";
    const code = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex ?? u4 ?? u8 ?? "x", 16);
    if (!(code <= 0x10ffff) || (code >= 0xd800 && code < 0xe000)) {
      bad = true;
      return "";
    }
    return String.fromCodePoint(code);
  });
  return bad ? undefined : out;
};

const maxInt = 9223372036854775807n;

/** An int (bigint) or a float (number); undefined: not a number, or an int that Go's int cannot hold. */
export const readNumber = (text: string): bigint | number | undefined => {
  if (/__|_$|_\.|\._|_[eE]/.test(text)) return undefined;
  const plain = text.replaceAll("_", "");
  const sign = plain.startsWith("-") ? -1n : 1n;
  const digits = plain.replace(/^[+-]/, "");
  if (/^0[xXbBoO]/.test(digits) || /^\d+$/.test(digits)) {
    const legacy = /^0[0-7]+$/.test(digits);
    if (!legacy && /^0\d+$/.test(digits)) return undefined;
    const value = sign * BigInt(legacy ? `0o${digits.slice(1)}` : digits);
    return value > maxInt || value < -maxInt - 1n ? undefined : value;
  }
  const value = Number(plain);
  if (!Number.isFinite(value)) return undefined;
  return value;
};
