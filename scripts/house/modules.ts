/** The files of the house, read as syntax: what each imports, how long its functions are, what it exports. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseSync } from "oxc-parser";

export const root = join(import.meta.dirname, "../..");

export interface Import {
  /** A path from the root for files of ours, else the package as written. */
  readonly target: string;
  readonly own: boolean;
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

/** A node of ESTree; its other members by their names. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

export interface SyntaxComment {
  readonly type: "Line" | "Block";
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

export interface Module {
  /** From the root. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly program: SyntaxNode;
  readonly comments: readonly SyntaxComment[];
  readonly imports: readonly Import[];
}

export const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";

/** Every node below, the node itself first. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const member of Object.values(node))
    for (const child of Array.isArray(member) ? member : [member]) if (isNode(child)) yield* walk(child);
}

const importsOf = (path: string, program: SyntaxNode): Import[] => {
  const found: Import[] = [];
  const add = (source: unknown, typeOnly: boolean, lazy: boolean): void => {
    if (!isNode(source) || typeof source.value !== "string") return;
    const name = source.value;
    const own = name.startsWith(".");
    found.push({ target: own ? relative(root, join(root, dirname(path), name)) : name, own, typeOnly, lazy });
  };
  for (const node of walk(program)) {
    const erased = node.importKind === "type" || node.exportKind === "type";
    if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) add(node.source, erased, false);
    else if (node.type === "ImportExpression") add(node.source, false, true);
    else if (node.type === "TSImportType") add(node.source, true, false);
  }
  return found;
};

export const readModule = (path: string): Module => {
  const text = readFileSync(join(root, path), "utf8");
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const tree = program as unknown as SyntaxNode;
  return {
    path,
    text,
    lines: text.trimEnd().split("\n").length,
    program: tree,
    comments,
    imports: importsOf(path, tree),
  };
};

/** TypeScript files below the folders, by their paths. */
export const filesIn = (...folders: readonly string[]): string[] =>
  folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();

/** The program itself: src/, outputs/, sources/. */
export const readHouse = (): readonly Module[] => filesIn("src", "outputs", "sources").map(readModule);
