import { unescapeJson } from "./escape.ts";
import { quote, skipString } from "./grammar.ts";
import type { JsonNode } from "./node.ts";

/** True when an object anywhere in the value has two members of one name, however they are spelled. Reads the text once. */
export const hasEqualKeys = ({ text, start, end }: JsonNode): boolean => {
  /** Of each open container, outermost first: the keys of an object; undefined: an array. */
  const open: (Keys | undefined)[] = [];
  let keys: Keys | undefined;
  let atKey = false;
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      const after = skipString(text, i + 1);
      if (after < 0) return false;
      if (atKey && keys?.meets(text, i + 1, after - 1)) return true;
      atKey = false;
      i = after - 1;
    } else if (c === 123 || c === 91) {
      keys = c === 123 ? new Keys() : undefined;
      open.push(keys);
      atKey = c === 123;
    } else if (c === 125 || c === 93) {
      open.pop();
      keys = open.at(-1);
      atKey = false;
    } else if (c === 44) atKey = keys !== undefined;
  }
  return false;
};

/** So many keys are compared one by one, which for few is cheaper than a set. */
const few = 12;

class Keys {
  readonly #first: string[] = [];
  #all: Set<string> | undefined;

  /** Whether this key was there before; from now on it is. */
  meets(text: string, from: number, to: number): boolean {
    const key = unescapeJson(text.slice(from, to));
    if (this.#all === undefined) {
      if (this.#first.includes(key)) return true;
      if (this.#first.push(key) === few) this.#all = new Set(this.#first);
      return false;
    }
    if (this.#all.has(key)) return true;
    this.#all.add(key);
    return false;
  }
}
