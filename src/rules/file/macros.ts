import type { Expression } from "../syntax/ast.ts";
import type { MacroItem } from "./items.ts";

/** A parsed macro: what it stands for, its own macros not yet put in. Undefined: it did not parse. */
export type ReadyMacros = ReadonlyMap<string, Expression | undefined>;

export interface MacroFault {
  readonly message: string;
  /** Index in the condition of the name that led here. */
  readonly at: number;
}

/** Which macros a condition sees: all of them, or those first defined before a macro was last touched. */
export const visibleMacros = (
  items: ReadonlyMap<string, MacroItem>,
  ready: ReadyMacros,
  visibility = Number.POSITIVE_INFINITY,
): ReadyMacros => {
  const seen = new Map<string, Expression | undefined>();
  for (const item of items.values()) if (item.index < visibility) seen.set(item.name, ready.get(item.name));
  return seen;
};

/** The condition may grow to so many nodes through its macros; beyond, it is refused. */
const mostNodes = 1_000_000;

/**
 * Puts macros in as trees. The first fault wins, loops before unknown names. Positions stay those of each macro's own
 * text, as in Falco.
 */
export const putMacros = (
  condition: Expression,
  macros: ReadyMacros,
  used: (name: string) => void,
): Expression | MacroFault | "poisoned" => {
  const loops: MacroFault[] = [];
  const unknown: MacroFault[] = [];
  const path: string[] = [];
  let poisoned = false;
  let nodes = 0;
  const put = (node: Expression): Expression => {
    if (++nodes > mostNodes) throw new RangeError("condition too large");
    switch (node.kind) {
      case "and":
      case "or":
        return { ...node, children: node.children.map(put) };
      case "not":
        return { ...node, child: put(node.child) };
      case "check":
        return node;
      case "macro": {
        if (!macros.has(node.name)) {
          unknown.push({ message: `Undefined macro '${node.name}' used in filter.`, at: node.at });
          return node;
        }
        const body = macros.get(node.name);
        if (body === undefined) {
          poisoned = true;
          return node;
        }
        if (path.includes(node.name)) {
          loops.push({ message: `reference loop in macro '${node.name}'`, at: node.at });
          return node;
        }
        path.push(node.name);
        const made = put(body);
        path.pop();
        used(node.name);
        return made;
      }
    }
  };
  const made = put(condition);
  return loops[0] ?? unknown[0] ?? (poisoned ? "poisoned" : made);
};
