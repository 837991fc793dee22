import type { JsonNode } from "../json/node.ts";

/**
 * The event's text as the original hands it on: as it was received (`raw`), unless one of the members it had to read is
 * written with escapes. A value it read is then written anew, and where a key was not found as written, so are all keys.
 */
export const compactEvent = (node: JsonNode, raw: string, read: readonly string[]): string => {
  if (!raw.includes("\\")) return raw;
  const values = read.map((key) => node.get(key));
  const keysToo = read.some((key) => !node.spells(key));
  const again = (value: JsonNode | undefined) => value?.kind === "string" && value.compact().includes("\\");
  if (!keysToo && !values.some(again)) return raw;
  const members: string[] = [];
  for (let i = 0; i < node.size; i++) {
    const value = node.at(i) as JsonNode;
    const key = keysToo ? goQuote(node.keys()[i] as string) : `"${node.rawKey(i)}"`;
    members.push(`${key}:${values.includes(value) && again(value) ? goQuote(value.asText()) : value.compact()}`);
  }
  return `{${members.join(",")}}`;
};

const needsQuoting = /["\\\0-\x1f]/;
// biome-ignore format: one line each
const short: Readonly<Record<string, string>> = {
  '"': '\\"', "\\": "\\\\", "\x07": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
};
const unprintable = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** Go's `strconv.Quote`, which is not always JSON; text that needs no escapes is merely quoted. */
const goQuote = (text: string): string =>
  needsQuoting.test(text) ? `"${text.replace(unprintable, goEscape)}"` : `"${text}"`;

const goEscape = (c: string): string => {
  const code = c.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (short[c]) return short[c];
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
};
