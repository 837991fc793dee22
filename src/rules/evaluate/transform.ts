import type { Scalar, Transformer, Value } from "../bind/plan.ts";
import { getopt } from "./getopt.ts";
import { foldAscii } from "./glob.ts";

const raiseAscii = (text: string): string =>
  /[a-z]/.test(text) ? text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()) : text;

const ascii = /^[\x00-\x7f]*$/;
/** UTF-8 bytes. */
export const byteLength = (text: string): number => (ascii.test(text) ? text.length : Buffer.byteLength(text));

/** Base64 with a strict alphabet, padding and leftover bits; undefined: it is not. */
export const decodeBase64 = (text: string): string | undefined => {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) return undefined;
  const decoded = bytes.toString();
  const end = decoded.indexOf("\0");
  return end < 0 ? decoded : decoded.slice(0, end);
};

const perText: Partial<Record<Transformer, (text: string) => string | undefined>> = {
  tolower: foldAscii,
  toupper: raiseAscii,
  b64: decodeBase64,
  basename: (text) => text.slice(text.lastIndexOf("/") + 1),
};

export const applyTransformer = (transformer: Transformer, args: readonly Value[], option?: string): Value => {
  if (args.some((arg) => arg === undefined)) return undefined;
  const [first, second] = args;
  switch (transformer) {
    case "len":
      return typeof first === "object" ? first.length : byteLength(String(first));
    case "join":
      return typeof second === "object" ? second.join(String(first)) : undefined;
    case "concat":
      return args.map(String).join("");
    case "getopt":
      return typeof first === "object" ? getopt(first, String(second), option) : undefined;
    default: {
      const change = perText[transformer] as (text: string) => string | undefined;
      if (typeof first !== "object") return change(String(first));
      const made: string[] = [];
      for (const item of first) {
        const text = change(item);
        if (text === undefined) return undefined;
        made.push(text);
      }
      return made;
    }
  }
};

/** The elements of a parenthesised list; a missing one makes the list missing. */
export const gather = (items: readonly Value[]): Value => {
  const made: string[] = [];
  for (const item of items) {
    if (item === undefined) return undefined;
    if (typeof item === "object") made.push(...item);
    else made.push(String(item satisfies Scalar));
  }
  return made;
};
