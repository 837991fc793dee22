import { bytesOf } from "./weight.ts";

/** Labels, or uids by kind. */
type Texts = Readonly<Record<string, string | readonly string[]>>;

/** Pods of one workload bear the same labels and belong to the same objects: each set is kept once. */
export interface TextSets<T extends Texts> {
  /** The set that is kept; give it back with `release`. Sets are equal when their keys stand in the same order, too. */
  keep(set: T): T;
  /** `set`: as `keep` gave it. */
  release(set: T): void;
  /** An estimate of what the sets take in memory. */
  bytes(): number;
  size(): number;
}

interface Kept<T> {
  readonly set: T;
  users: number;
}

/** Sets that somebody made to have one number are not looked through: beyond these, each user keeps its own. */
const mostOfNumber = 8;

/** `numberOf`: of equal sets the same. */
export const createTextSets = <T extends Texts>(numberOf: (set: T) => number = mixedTexts): TextSets<T> => {
  const byNumber = new Map<number, Kept<T>[]>();
  let [bytes, size] = [0, 0];
  const add = (set: T): T => {
    bytes += bytesOf(set);
    size++;
    return dense(set);
  };
  const drop = (set: T): void => {
    bytes -= bytesOf(set);
    size--;
  };
  return {
    keep: (set) => {
      const number = numberOf(set);
      const alike = byNumber.get(number);
      const kept = alike?.find((one) => areEqual(one.set, set));
      if (kept) {
        kept.users++;
        return kept.set;
      }
      const own = add(set);
      if (!alike) byNumber.set(number, [{ set: own, users: 1 }]);
      else if (alike.length < mostOfNumber) alike.push({ set: own, users: 1 });
      return own;
    },
    release: (set) => {
      const number = numberOf(set);
      const alike = byNumber.get(number) ?? [];
      const at = alike.findIndex((one) => one.set === set);
      const kept = alike[at];
      if (kept && --kept.users > 0) return;
      drop(set);
      if (!kept) return;
      alike.splice(at, 1);
      if (alike.length === 0) byNumber.delete(number);
    },
    bytes: () => bytes,
    size: () => size,
  };
};

const mixedTexts = (set: Texts): number => {
  let number = 0x811c9dc5;
  for (const key of Object.keys(set)) {
    number = mixed(number, key);
    const value = set[key] ?? "";
    if (typeof value === "string") number = mixed(number, value);
    else for (const text of value) number = mixed(number, text);
  }
  return number;
};

const mixed = (start: number, text: string): number => {
  let number = start ^ text.length;
  for (let i = 0; i < text.length; i++) number = Math.imul(number ^ text.charCodeAt(i), 0x01000193);
  return number;
};

const areEqual = (a: Texts, b: Texts): boolean => {
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return keys.length === others.length && keys.every((key, i) => key === others[i] && areSame(a[key], b[key]));
};

const areSame = (a: Texts[string] | undefined, b: Texts[string] | undefined): boolean => {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.length === b.length && a.every((text, i) => text === b[i]);
};

/** An object that is made without a prototype takes the engine twice the memory of one that loses it. */
const dense = <T extends Texts>(set: T): T => Object.setPrototypeOf(Object.fromEntries(Object.entries(set)), null);
