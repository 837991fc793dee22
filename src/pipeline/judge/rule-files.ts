import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FileInput } from "../../rules/index.ts";

/** What is found under the paths that name rules files and folders of them. */
export interface RuleFiles {
  /** In the order of loading. */
  readonly files: readonly FileInput[];
  /** Paths that lead nowhere, and files that cannot be read. */
  readonly missing: readonly string[];
}

const isRules = (name: string): boolean =>
  /\.ya?ml$/.test(name) && !/[.-]tests?\.ya?ml$/.test(name) && !name.startsWith(".");

/** Names of the rules files that a path stands for: itself, or a folder's `*.yaml` in the order of their bytes. */
export const ruleFileNames = (path: string): readonly string[] => {
  if (!isFolder(path)) return [path];
  const folder = path.replace(/(?<=.)\/+$/, "");
  return readdirSync(path)
    .filter((name) => isRules(name) && !isFolder(join(path, name)))
    .map((name) => Buffer.from(name))
    .sort(Buffer.compare)
    .map((name) => `${folder}/${name}`);
};

/** Follows symbolic links, which ConfigMaps are made of. */
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Reads all files under the paths. Never throws. */
export const readRuleFiles = (paths: readonly string[]): RuleFiles => {
  const files: FileInput[] = [];
  const missing: string[] = [];
  const attempt = <T>(path: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      missing.push(path);
      return undefined;
    }
  };
  for (const path of paths)
    for (const name of attempt(path, () => ruleFileNames(path)) ?? []) {
      const text = attempt(name, () => readFileSync(name, "utf8"));
      if (text !== undefined) files.push({ name, text });
    }
  return { files, missing };
};
