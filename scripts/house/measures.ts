/** What can be counted of a house: lengths of functions, casts, what of the contracts is documented. */
import { isNode, type Module, type SyntaxNode, walk } from "./modules.ts";
import { roomOf } from "./rooms.ts";

const lineAt = (module: Module, offset: number): number => module.text.slice(0, offset).split("\n").length;

export interface Sized {
  /** `file:line`. */
  readonly place: string;
  readonly lines: number;
}

/** Functions of more than `least` lines, longest first; a function in another counts for both. */
export const longFunctions = (house: readonly Module[], least: number): Sized[] =>
  house
    .flatMap((module) =>
      [...walk(module.program)].flatMap((node) => {
        if (!/Function(Declaration|Expression)$/.test(node.type) || !isNode(node.body)) return [];
        const first = lineAt(module, node.start);
        return [{ place: `${module.path}:${first}`, lines: lineAt(module, node.end) - first + 1 }];
      }),
    )
    .filter(({ lines }) => lines > least)
    .sort((a, b) => b.lines - a.lines);

/** `x as T`, without `as const`. */
export const castsOf = (module: Module): Sized[] =>
  [...walk(module.program)].flatMap((node) => {
    if (node.type !== "TSAsExpression" || !isNode(node.typeAnnotation)) return [];
    const { typeName } = node.typeAnnotation;
    if (isNode(typeName) && typeName.name === "const") return [];
    return [{ place: `${module.path}:${lineAt(module, node.start)}`, lines: 1 }];
  });

export const castsByRoom = (house: readonly Module[]): ReadonlyMap<string, number> => {
  const casts = new Map<string, number>();
  for (const module of house) {
    const room = roomOf(module.path)?.path ?? module.path;
    casts.set(room, (casts.get(room) ?? 0) + castsOf(module).length);
  }
  return casts;
};

const exported = /^Export(Named|Default)Declaration$/;

/** `file:line` of every export that has no comment right above it; `total` counts those that have one, too. */
export const undocumented = (
  house: readonly Module[],
): { readonly total: number; readonly places: readonly string[] } => {
  let total = 0;
  const places: string[] = [];
  for (const module of house)
    for (const node of (module.program.body as readonly SyntaxNode[]).filter((n) => exported.test(n.type))) {
      // What is only passed on is documented where it is made.
      if (!isNode(node.declaration)) continue;
      total++;
      const isDocumented = module.comments.some(
        ({ type, value, end }) =>
          type === "Block" && value.startsWith("*") && module.text.slice(end, node.start).trim() === "",
      );
      if (!isDocumented) places.push(`${module.path}:${lineAt(module, node.start)}`);
    }
  return { total, places };
};
