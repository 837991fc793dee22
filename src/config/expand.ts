import type { Environment } from "./environment.ts";
import { type Leaf, type MapTree, mapLeaves, type Tree } from "./tree.ts";

/**
 * `${NAME}` in a value takes the variable's value, `$${NAME}` stands for itself, every other `$` too. What comes in stays
 * text: it is not read as YAML, nor expanded again. A variable that is not set counts as empty, and the leaf names it.
 */
export function expand(tree: MapTree, env: Environment): MapTree;
export function expand(tree: Tree, env: Environment): Tree;
export function expand(tree: Tree, env: Environment): Tree {
  return mapLeaves(tree, (leaf) =>
    typeof leaf.value === "string" && leaf.value.includes("${") ? expandLeaf(leaf, leaf.value, env) : leaf,
  );
}

const expandLeaf = (leaf: Leaf, text: string, env: Environment): Leaf => {
  let unset: string | undefined;
  const value = text.replaceAll(/\$?\$\{([A-Za-z_]\w*)\}/g, (all, name: string) => {
    if (all.startsWith("$$")) return all.slice(1);
    const found = env[name];
    if (found === undefined) unset ??= name;
    return found ?? "";
  });
  return { ...leaf, value, ...(unset !== undefined && { unset }) };
};

/** What a leaf that names a variable which is not set is told. */
export const unsetFault = (name: string): string => `the variable ${name} is not set`;

/** The tree with what is not set as empty, after each such leaf was told. */
export const emptyUnset = (tree: Tree, tell: (leaf: Leaf, name: string) => void): Tree =>
  mapLeaves(tree, ({ unset, ...leaf }) => {
    if (unset !== undefined) tell(leaf, unset);
    return leaf;
  });
