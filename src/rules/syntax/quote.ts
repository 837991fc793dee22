/** The condition does not parse; the scanner's position says where. */
export class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";
}

const simple: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  " ": "\\",
  "\\": "\\",
  "/": "/",
};

/** The text between quotes with its escapes resolved; `\xHH` is a byte of UTF-8. Throws SyntaxFault. */
export const unescapeQuoted = (raw: string, delimiter: '"' | "'"): string => {
  if (!raw.includes("\\")) return raw;
  const parts: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) parts.push(Buffer.from(bytes).toString());
    bytes = [];
  };
  for (let i = 0; i < raw.length; i++) {
    const c = raw[i] as string;
    if (c !== "\\") {
      flush();
      parts.push(c);
      continue;
    }
    i++;
    const escaped = raw[i];
    if (escaped === undefined) break;
    if (escaped === "x") {
      bytes.push(hexByte(raw.slice(i + 1, i + 3)));
      i += 2;
      continue;
    }
    flush();
    parts.push(plainEscape(escaped, delimiter));
  }
  flush();
  return parts.join("");
};

const plainEscape = (escaped: string, delimiter: string): string => {
  const known = simple[escaped];
  if (known !== undefined) return known;
  if (escaped === '"' || escaped === "'") {
    if (escaped !== delimiter) throw new SyntaxFault(`invalid \\${escaped} escape in ${delimiter}-quoted string`);
    return escaped;
  }
  throw new SyntaxFault(`unsupported string escape sequence: \\${escaped}`);
};

const hexByte = (digits: string): number => {
  if (digits.length < 2) throw new SyntaxFault("truncated hex char escape sequence");
  if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw new SyntaxFault("invalid hex char escape sequence");
  return Number.parseInt(digits, 16);
};
