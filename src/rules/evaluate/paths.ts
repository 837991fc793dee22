import { compileGlob } from "./glob.ts";

/** `pmatch`: some pattern's parts, split at `/`, lead the value's parts; parts with `?*[` are globs. */
export const compilePaths = (patterns: readonly string[]): ((value: string) => boolean) => {
  const compiled = patterns.map((pattern) => partsOf(pattern).map(compilePart));
  return (value) => {
    const parts = partsOf(value);
    return compiled.some((tests) => tests.length <= parts.length && tests.every((test, i) => test(parts[i] ?? "")));
  };
};

const partsOf = (path: string): readonly string[] => path.split("/").filter((part) => part !== "");

const compilePart = (part: string): ((value: string) => boolean) =>
  /[?*[]/.test(part) ? compileGlob(part) : (value) => value === part;
