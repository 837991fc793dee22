import { maxDepth } from "../../json/grammar.ts";
import type { JsonNode } from "../../json/node.ts";
import { elements, maxSteps } from "./steps.ts";

/** What a JSON patch (RFC 6902) does, as evanphx/json-patch reads it in API servers. */
export interface PatchOperation {
  readonly op: string;
  /** Where, and where from: decoded steps of the pointers; undefined: none, or one too long to follow. */
  readonly path: readonly string[] | undefined;
  readonly from: readonly string[] | undefined;
  readonly value: JsonNode | undefined;
}

export const operationsOf = (patch: JsonNode): readonly PatchOperation[] =>
  elements(patch).map((node) => ({
    op: node.get("op")?.asText() ?? "",
    path: stepsOf(node.get("path")),
    from: stepsOf(node.get("from")),
    value: node.get("value"),
  }));

/** What stands before the first slash is not looked at, whatever it is. */
const stepsOf = (pointer: JsonNode | undefined): readonly string[] | undefined => {
  if (pointer?.kind !== "string") return undefined;
  const [, ...steps] = pointer.asText().split("/");
  return steps.length > maxSteps ? undefined : steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
};

/** An object or array that a patch reaches into. Elements of an array are known by how the patch names them. */
type Tree = Map<string, Tree | Leaf>;
interface Leaf {
  readonly json: unknown;
}

const isTree = (what: Tree | Leaf | undefined): what is Tree => what instanceof Map;
const arrayStep = /^(?:-|\d+)$/;

/**
 * The object that a patch of operations would make of nothing, as JSON text: all that it sets, in its places. Undefined:
 * it sets nothing. Copies of copies double with each operation: beyond `maxCopied` values in all they set nothing, as API
 * servers refuse what copies too much.
 */
export const objectOfPatch = (operations: readonly PatchOperation[], maxCopied: number): string | undefined => {
  const root: Tree = new Map();
  const left = { values: maxCopied };
  let appended = 0;
  const name = (step: string): string => (step === "-" ? `-${appended++}` : step);
  for (const { op, path, from, value } of operations) {
    if (path === undefined) continue;
    const found = (op === "move" || op === "copy") && from !== undefined ? find(root, from) : undefined;
    const moved = op === "copy" ? copied(found, left) : found;
    if (op === "remove") take(root, path);
    if (op === "move" && from !== undefined) take(root, from);
    const set = op === "add" || op === "replace" ? leafOf(value) : moved;
    if (set !== undefined) put(root, path.map(name), set);
  }
  return root.size === 0 ? undefined : JSON.stringify(plain(root));
};

const leafOf = (value: JsonNode | undefined): Tree | Leaf | undefined => {
  try {
    return value && grown(JSON.parse(value.compact()));
  } catch {
    return undefined; // No API server takes such JSON.
  }
};

/** JSON.parse keeps the last of equal keys, as API servers do. */
const grown = (json: unknown): Tree | Leaf => {
  if (typeof json !== "object" || json === null) return { json };
  const tree: Tree = new Map(Object.entries(json).map(([key, value]) => [key, grown(value)]));
  // An empty list stays one, and an empty object one.
  return tree.size === 0 ? { json } : tree;
};

/** Undefined: more than is left, or nested deeper than any object. */
const copied = (what: Tree | Leaf | undefined, left: { values: number }, depth = 1): Tree | Leaf | undefined => {
  if (left.values-- <= 0 || depth > maxDepth) return undefined;
  if (!isTree(what)) return what;
  const copy: Tree = new Map();
  for (const [key, value] of what) {
    const inner = copied(value, left, depth + 1);
    if (inner === undefined) return undefined;
    copy.set(key, inner);
  }
  return copy;
};

const find = (root: Tree, path: readonly string[]): Tree | Leaf | undefined => {
  let at: Tree | Leaf | undefined = root;
  for (const step of path) at = isTree(at) ? at.get(step) : undefined;
  return at;
};

const take = (root: Tree, path: readonly string[]): void => {
  const parent = find(root, path.slice(0, -1));
  if (isTree(parent)) parent.delete(path.at(-1) ?? "");
};

const put = (root: Tree, path: readonly string[], set: Tree | Leaf): void => {
  let at = root;
  for (const step of path.slice(0, -1)) {
    let next = at.get(step);
    if (!isTree(next)) {
      next = new Map();
      at.set(step, next);
    }
    at = next;
  }
  const last = path.at(-1);
  if (last !== undefined) at.set(last, set);
  else if (isTree(set)) for (const [key, value] of set) root.set(key, value);
};

/** Moves can nest as deep as there are operations; what is deeper than any object is null. */
const plain = (tree: Tree | Leaf, depth = 1): unknown => {
  if (!isTree(tree)) return tree.json;
  if (depth >= maxDepth) return null;
  const values = [...tree].map(([key, value]) => [key, plain(value, depth + 1)] as const);
  if (values.every(([key]) => arrayStep.test(key) || /^-\d+$/.test(key))) return values.map(([, value]) => value);
  return Object.fromEntries(values);
};
