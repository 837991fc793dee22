import { type FieldValue, isRawNumber } from "../sdk/alert.ts";
import { compareBytewise } from "../sdk/bytewise.ts";

type FieldMap = Record<string, FieldValue>;
type Container = FieldMap | FieldValue[];

/**
 * The fields as alerts hold them: keys in byte order on every level (Go prints maps so), no prototype, frozen to the
 * ground. Takes over what JSON.parse made. Values may nest ten thousand deep: no recursion.
 */
export const orderFields = (fields: FieldMap): FieldMap => {
  const root = ordered(fields);
  let open: Container[] | undefined;
  let node: Container | undefined = root;
  do {
    const keys = Array.isArray(node) ? node.keys() : Object.keys(node);
    for (const key of keys) {
      const item = (node as Record<string | number, FieldValue>)[key];
      if (typeof item !== "object" || item === null || isRawNumber(item)) continue;
      const child = Array.isArray(item) ? (item as FieldValue[]) : ordered(item as FieldMap);
      (node as Record<string | number, FieldValue>)[key] = child;
      open ??= [];
      open.push(child);
    }
    Object.freeze(node);
    node = open?.pop();
  } while (node !== undefined);
  return root;
};

const ordered = (map: FieldMap): FieldMap => {
  const keys = Object.keys(map);
  for (let i = 1; i < keys.length; i++) {
    if (compareBytewise(keys[i - 1] as string, keys[i] as string) > 0) return copy(map, keys.sort(compareBytewise));
  }
  return Object.setPrototypeOf(map, null);
};

const copy = (map: FieldMap, keys: readonly string[]): FieldMap => {
  // An object that starts without a prototype is a hash table for V8, slow to read and to print (bench/README.md, `reading alone`).
  const sorted: FieldMap = keys.includes("__proto__") ? Object.create(null) : {};
  for (const key of keys) sorted[key] = map[key] as FieldValue;
  return Object.setPrototypeOf(sorted, null);
};
