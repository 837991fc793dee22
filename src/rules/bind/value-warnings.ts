import type { FieldCatalog } from "../../sdk/catalog.ts";
import { rightTransformers } from "../syntax/grammar.ts";
import { bindField, FieldFault } from "./slots.ts";

/** What looks like a mistake in a right-hand value: a regex that needs none, a field or transformer taken as text. */
export const valueWarnings = <E>(operator: string, text: string, catalog: FieldCatalog<E>): readonly string[] => {
  const found: string[] = [];
  const dense = text.replaceAll(/[ \t\n\v\f\r]/g, "");
  if (operator === "regex" && isSimplePattern(text))
    found.push(
      `regex check with '${text}' may be optimized with simpler operators such as '=', 'contains', 'startswith', 'endswith'`,
    );
  if (isField(dense, catalog)) found.push(`'${text}' may be a valid field misused as a const string value`);
  for (const name of rightTransformers)
    if (dense.startsWith(`${name}(`) && dense.endsWith(")"))
      found.push(`'${text}' may be a valid field transformer misused as a const string value`);
  return found;
};

const isField = <E>(text: string, catalog: FieldCatalog<E>): boolean => {
  const found = /^([^[\]]+)(?:\[([^[\]]*)\])?$/.exec(text);
  const name = found?.[1];
  if (name === undefined || !catalog.fields.has(name)) return false;
  try {
    bindField(catalog, name, found?.[2] || undefined, text);
    return true;
  } catch (error) {
    if (error instanceof FieldFault) return false;
    throw error;
  }
};

/** Nothing special but anchors and `.*`-like pieces at both ends. */
const isSimplePattern = (pattern: string): boolean => {
  const n = pattern.length;
  for (let i = 0; i < n; i++) {
    const c = pattern.charAt(i);
    if ((i === 0 && c === "^") || (i === n - 1 && c === "$")) continue;
    const edge = (i === 0 && n > 1) || i === n - 2;
    if (edge && c === "." && "+*?".includes(pattern.charAt(i + 1))) {
      i++;
      continue;
    }
    if (".+*?^$()[]{}|\\".includes(c)) return false;
  }
  return true;
};
