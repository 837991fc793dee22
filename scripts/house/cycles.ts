import type { Import, Module } from "./modules.ts";

/** Chains of files that lead back to where they began, each once: `a.ts → b.ts → a.ts`. `counts` says which imports are steps. */
export const cyclesOf = (house: readonly Module[], counts: (i: Import) => boolean = () => true): string[] => {
  const imports = new Map(house.map((module) => [module.path, module.imports]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file) || path.includes(file)) return;
    for (const i of imports.get(file) ?? []) if (i.own && counts(i)) visit(i.target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return cycles;
};
