import type { JsonNode } from "../../json/node.ts";

/** Steps of a path that are followed: no API server takes what is nested deeper. */
export const maxSteps = 100;

/** The steps of a JSON pointer: one leading slash may be left out, `~1` is a slash and `~0` a tilde. */
export const pointerSteps = (pointer: string): readonly string[] => {
  if (pointer === "" || pointer === "/") return [];
  const bare = pointer.startsWith("/") ? pointer.slice(1) : pointer;
  return bare.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
};

const position = /^\d+$/;

/** The value at the end of keys, and of positions in arrays. */
export const valueAt = (from: JsonNode | undefined, steps: readonly string[]): JsonNode | undefined => {
  let node = from;
  for (const step of steps) {
    if (!node) return undefined;
    node = node.kind === "array" ? (position.test(step) ? node.at(Number(step)) : undefined) : node.get(step);
  }
  return node;
};

/** The elements of an array; nothing for any other value. */
export const elements = (node: JsonNode | undefined): readonly JsonNode[] => {
  const out: JsonNode[] = [];
  if (node?.kind !== "array") return out;
  const { size } = node;
  for (let i = 0; i < size; i++) {
    const element = node.at(i);
    if (element) out.push(element);
  }
  return out;
};
