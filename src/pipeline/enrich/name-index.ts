import type { Kind } from "../../sdk/kubernetes.ts";

interface Named {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

/** What bears which name; the last that was given it. */
export interface NameIndex<T> {
  get(kind: Kind, namespace: string, name: string): T | undefined;
  set(named: Named, value: T): void;
  /** Only while it is this one that has the name. */
  delete(named: Named, value: T): void;
}

export const createNameIndex = <T>(): NameIndex<T> => {
  const kinds = new Map<Kind, Map<string, Map<string, T>>>();
  return {
    get: (kind, namespace, name) => kinds.get(kind)?.get(namespace)?.get(name),
    set: ({ kind, namespace, name }, value) => {
      const spaces = kinds.get(kind) ?? new Map<string, Map<string, T>>();
      kinds.set(kind, spaces);
      const names = spaces.get(namespace) ?? new Map<string, T>();
      spaces.set(namespace, names.set(name, value));
    },
    delete: ({ kind, namespace, name }, value) => {
      const spaces = kinds.get(kind);
      const names = spaces?.get(namespace);
      if (names?.get(name) !== value) return;
      names.delete(name);
      if (names.size === 0) spaces?.delete(namespace);
    },
  };
};
