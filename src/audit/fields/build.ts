import { comparableText, type JsonNode } from "../../json/node.ts";
import type { Field, FieldArg } from "../../sdk/catalog.ts";
import type { JsonEvent } from "../../sdk/json-event.ts";
import { bodiesOf } from "../body/bodies.ts";
import { rememberLatest } from "../body/latest.ts";
import { elements } from "../body/steps.ts";

export type KaField = Field<JsonEvent>;
export type Text = string | undefined;
export type Texts = readonly string[] | undefined;

/** A value as the engine sees it: text, cut at the first NUL as the plugin interface does. */
export const textOf = (node: JsonNode): string => cutAtNul(node.asText());

export const cutAtNul = (text: string): string => {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
};

/** A list without elements is no value. */
export const listOf = (texts: readonly string[]): Texts => (texts.length === 0 ? undefined : texts);

/** The value at the end of object keys. */
export const nodeAt = (root: JsonNode | undefined, path: readonly string[]): JsonNode | undefined => {
  let node = root;
  for (const key of path) {
    if (!node) return undefined;
    node = node.get(key);
  }
  return node;
};

/** A member of the event itself, looked for once for all fields that lie in it. */
const partOf = (key: string): ((root: JsonNode) => JsonNode | undefined) => {
  const known = parts.get(key) ?? rememberLatest((root: JsonNode) => root.get(key));
  parts.set(key, known);
  return known;
};

const parts = new Map<string, (root: JsonNode) => JsonNode | undefined>();

/** The object that a family of fields shows. */
export interface Shown {
  readonly prefix: string;
  object(root: JsonNode): JsonNode | undefined;
  /** A field's sentence as it is for this object. */
  about(sentence: string): string;
}

/** What the request sent, as Falco's plugin reads it. */
export const requested: Shown = {
  prefix: "ka.req",
  object: (root) => root.get("requestObject"),
  about: (sentence) => sentence,
};

/** The object as it is after the request, whatever the verb and the kind of patch. */
export const resulting: Shown = {
  prefix: "ka.obj",
  object: (root) => bodiesOf(root).after,
  about: (sentence) => `After the request: ${sentence}`,
};

/** A text field without argument. */
export const text = (name: string, about: string, read: (root: JsonNode, event: JsonEvent) => Text): KaField => ({
  name,
  type: "string",
  list: false,
  about,
  get(event) {
    const root = event.auditRoot;
    return root && read(root, event);
  },
});

const memberText = (node: JsonNode | undefined, key: string): Text => {
  const shown = node?.textAt(key);
  return shown === undefined ? undefined : cutAtNul(shown);
};

/** A text field that shows the value at a path of the event. */
export const path = (name: string, about: string, first: string, ...rest: readonly string[]): KaField => {
  const last = rest.at(-1);
  if (last === undefined) return text(name, about, (root) => memberText(root, first));
  const part = partOf(first);
  const between = rest.slice(0, -1);
  return text(name, about, (root) => memberText(nodeAt(part(root), between), last));
};

/** A text field that shows a value of a body, whose text may be JSON. */
const valueField = (name: string, about: string, find: (root: JsonNode) => JsonNode | undefined): KaField => {
  const shown = (root: JsonNode | undefined, show: (node: JsonNode) => string): Text => {
    const node = root && find(root);
    return node && cutAtNul(show(node));
  };
  return {
    name,
    type: "string",
    list: false,
    about,
    get: (event) => shown(event.auditRoot, (node) => node.asText()),
    bindCompared: () => (event) => shown(event.auditRoot, comparableText),
  };
};

/** A text field whose bracketed key is required; `bind` prepares the key once. */
export const keyed = (name: string, about: string, bind: (key: string) => (root: JsonNode) => Text): KaField =>
  keyedField(name, about, false, bind);

/** A list whose bracketed key is required. */
export const keyedList = (name: string, about: string, bind: (key: string) => (root: JsonNode) => Texts): KaField =>
  keyedField(name, about, true, bind);

const keyedField = (
  name: string,
  about: string,
  isList: boolean,
  bind: (key: string) => (root: JsonNode) => Text | Texts,
): KaField => {
  const bound = (arg: FieldArg) => {
    const read = bind(String(arg ?? ""));
    return (event: JsonEvent) => {
      const root = event.auditRoot;
      return root && read(root);
    };
  };
  return {
    name,
    type: "string",
    list: isList,
    about,
    arg: { kind: "key", required: true },
    bind: bound,
    get: (event, arg) => bound(arg)(event),
  };
};

/** A list without argument. */
export const list = (name: string, about: string, read: (root: JsonNode, event: JsonEvent) => Texts): KaField => ({
  name,
  type: "string",
  list: true,
  about,
  get(event) {
    const root = event.auditRoot;
    return root && read(root, event);
  },
});

/** A list that shows the elements of the array at a path; anything but an array is no value. */
export const arrayAt = (name: string, about: string, first: string, ...rest: readonly string[]): KaField => {
  const part = partOf(first);
  return list(name, about, (root) => arrayTexts(nodeAt(part(root), rest)));
};

const arrayTexts = (node: JsonNode | undefined): Texts => listOf(elements(node).map(textOf));

/** `path` and `arrayAt` within the object that is shown; the name goes on behind the prefix. */
export const pathIn = (shown: Shown, name: string, about: string, ...keys: readonly string[]): KaField =>
  valueField(`${shown.prefix}.${name}`, shown.about(about), (root) => nodeAt(shown.object(root), keys));

export const arrayIn = (shown: Shown, name: string, about: string, ...keys: readonly string[]): KaField =>
  list(`${shown.prefix}.${name}`, shown.about(about), (root) => arrayTexts(nodeAt(shown.object(root), keys)));

/** `walk` within the object that is shown. */
export const walkIn = (shown: Shown, root: JsonNode, keys: readonly string[], index?: number): Walked | undefined => {
  const object = shown.object(root);
  return object && walk(object, keys, index);
};

/** A list that an index in brackets may narrow to one of its sources (a container, a rule, a volume). */
export const indexed = (
  name: string,
  about: string,
  read: (root: JsonNode, index: number | undefined) => Texts,
): KaField => ({
  name,
  type: "string",
  list: true,
  about,
  arg: { kind: "index", required: false },
  get(event, arg) {
    const root = event.auditRoot;
    return root && read(root, arg === undefined ? undefined : Number(arg));
  },
});

/** What a walk met where an element of an array has no value at the rest of the path. */
export const hole = null;
export type Walked = readonly (JsonNode | typeof hole)[];

/**
 * Follows keys from a value. An array on the way stands for all its elements, or for the one at `index`, which counts for
 * every array met (an array right inside another has no keys then); a last value that is an array stays one value. Undefined: a key is missing outside of any array.
 */
export const walk = (from: JsonNode, keys: readonly string[], index?: number, at = 0): Walked | undefined => {
  let node = from;
  for (let i = at; i < keys.length; i++) {
    if (node.kind === "array") return walkArray(node, keys, index, i);
    const next = node.get(keys[i] as string);
    if (!next) return undefined;
    node = next;
  }
  return [node];
};

const walkArray = (
  node: JsonNode,
  keys: readonly string[],
  index: number | undefined,
  at: number,
): Walked | undefined => {
  if (index !== undefined) {
    const next = node.at(index)?.get(keys[at] as string);
    return next && walk(next, keys, index, at + 1);
  }
  const found: (JsonNode | typeof hole)[] = [];
  for (const element of elements(node)) {
    const inside = walk(element, keys, undefined, at);
    if (inside) for (const one of inside) found.push(one);
    else found.push(hole);
  }
  return found;
};

/** The values without the holes. */
export const solid = (found: Walked): readonly JsonNode[] => found.filter((node) => node !== hole);
