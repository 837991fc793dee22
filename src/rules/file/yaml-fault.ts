import type { YAMLError } from "yaml";

/** Why a text is no YAML, in yaml-cpp's words, and the offset that it blames. */
export interface YamlFault {
  readonly message: string;
  readonly at: number;
}

/** yaml-cpp takes a quoted string that the file's end cuts off. */
export const isForgiven = (error: YAMLError, text: string): boolean =>
  (error.code === "MISSING_CHAR" && /quote/.test(error.message) && error.pos[0] >= text.trimEnd().length - 1) ||
  error.code === "KEY_OVER_1024_CHARS";

/** What the parser says of a token, what yaml-cpp says of it, and how far behind the parser's place it points. */
const words: readonly (readonly [RegExp, string, number?])[] = [
  [/^MISSING_CHAR Sequence item without/, "end of sequence not found"],
  [/^MISSING_CHAR Implicit map keys need/, "end of map not found"],
  [/^MULTILINE_IMPLICIT_KEY /, "end of map not found"],
  [/^UNEXPECTED_TOKEN Unexpected scalar at node end/, "end of map not found"],
  [/^UNEXPECTED_TOKEN Unexpected flow-\w+-end/, "illegal flow end"],
  [/^UNEXPECTED_TOKEN Unexpected block-seq-ind/, "illegal block entry"],
  [/^UNEXPECTED_TOKEN Block scalar header/, "unexpected character in block scalar", 1],
  [/^BAD_ALIAS Anchor/, "anchor not found after &", 1],
  [/^BAD_ALIAS /, "alias not found after *", 1],
  [/^MULTIPLE_ANCHORS /, "cannot assign multiple anchors to the same node"],
  [/^(?:UNEXPECTED_TOKEN|BAD_SCALAR_START) /, "unknown token"],
  [/^(?:BLOCK_AS_IMPLICIT_KEY|BAD_INDENT) /, "illegal map value"],
];

export const yamlFault = (error: YAMLError, text: string): YamlFault => {
  const [at] = error.pos;
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  if (text[lineStart] === "\t" || error.code === "TAB_AS_INDENT") {
    const tab = text.indexOf("\t", lineStart);
    return { message: "illegal tab when looking for indentation", at: tab < 0 ? at : tab };
  }
  if (/flow (?:sequence|map|collection)/i.test(error.message)) {
    const map = /flow map/i.test(error.message);
    return { message: `end of ${map ? "map" : "sequence"} flow not found`, at: Math.min(at, text.length) };
  }
  if (error.code === "BAD_DQ_ESCAPE")
    return { message: `unknown escape character: ${text.charAt(at + 1)}`, at: Math.min(at + 2, text.length) };
  const found = words.find(([pattern]) => pattern.test(`${error.code} ${error.message}`));
  if (found === undefined) return { message: error.message, at };
  const [, message, behind = 0] = found;
  if (message === "illegal map value") {
    const colon = text.slice(at).search(/:(?:\s|$)/);
    return { message, at: colon < 0 ? at : at + colon };
  }
  const token = at + text.slice(at).search(/[^ ]|$/);
  return { message, at: token + behind };
};
