import type { JsonNode } from "../../json/node.ts";
import { bodiesOf } from "./bodies.ts";
import { rememberLatest } from "./latest.ts";
import { podSpecsOf } from "./pod-specs.ts";
import { elements } from "./steps.ts";

/** The path as the kernel follows it: `//etc/.` is `/etc`. */
export const cleanPath = (path: string): string => {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
};

/** The path and each folder above it but the root; of the root, itself. At most so many parts count: the kernel's own limit. */
export const pathAndParents = (path: string): readonly string[] => {
  const parts = path.split("/", 64).slice(1);
  return parts.map((_, i) => `/${parts.slice(0, parts.length - i).join("/")}`);
};

/** The clean host paths of the volumes of a Pod, a workload's template or a PersistentVolume, local ones included. */
export const hostPathsOf = rememberLatest((event: JsonNode): readonly string[] => {
  const paths: string[] = [];
  const take = (place: JsonNode | undefined): void => {
    const path = place?.get("path");
    if (path) paths.push(cleanPath(path.asText()));
  };
  for (const spec of podSpecsOf(event))
    for (const volume of elements(spec.get("volumes"))) take(volume.get("hostPath"));
  const spec = bodiesOf(event).after?.get("spec");
  take(spec?.get("hostPath"));
  take(spec?.get("local"));
  return paths;
});
