import { unescapeJson } from "./escape.ts";
import { quote, skipString } from "./grammar.ts";
import type { JsonNode } from "./node.ts";

/** True when an object anywhere in the value has two members of one name, however they are spelled. Reads the text once. */
export const hasEqualKeys = ({ text, start, end }: JsonNode): boolean => {
  /** Of each open container, outermost first: the keys of an object; undefined: an array. */
  const open: (Set<string> | undefined)[] = [];
  let atKey = false;
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      const after = skipString(text, i + 1);
      if (after < 0) return false;
      if (atKey) {
        const keys = open.at(-1);
        const key = unescapeJson(text.slice(i + 1, after - 1));
        if (keys?.has(key)) return true;
        keys?.add(key);
        atKey = false;
      }
      i = after - 1;
    } else if (c === 123 || c === 91) {
      open.push(c === 123 ? new Set() : undefined);
      atKey = c === 123;
    } else if (c === 125 || c === 93) {
      open.pop();
      atKey = false;
    } else if (c === 44) atKey = open.at(-1) !== undefined;
  }
  return false;
};
