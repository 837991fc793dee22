import type { KubeObject, Labels } from "../../sdk/kubernetes.ts";

/** Services that select by labels. */
export interface ServiceIndex {
  add(service: KubeObject): void;
  remove(service: KubeObject): void;
  /** Those of the namespace that select what bears the labels, by uid. */
  selecting(namespace: string, labels: Labels): readonly KubeObject[];
}

/** Of every service one label is looked at first: the key of its selector that comes first. */
type ByValue = Map<string, Map<string, KubeObject>>;

export const createServiceIndex = (): ServiceIndex => {
  const spaces = new Map<string, Map<string, ByValue>>();
  return {
    add: (service) => {
      const first = firstOf(service.selector);
      if (!first) return;
      const [key, value] = first;
      const keys = spaces.get(service.namespace) ?? new Map<string, ByValue>();
      spaces.set(service.namespace, keys);
      const values = keys.get(key) ?? new Map<string, Map<string, KubeObject>>();
      keys.set(key, values);
      const alike = values.get(value) ?? new Map<string, KubeObject>();
      values.set(value, alike.set(service.uid, service));
    },
    remove: (service) => {
      const first = firstOf(service.selector);
      const keys = spaces.get(service.namespace);
      const values = first && keys?.get(first[0]);
      if (!keys || !values) return;
      const [key, value] = first;
      const alike = values.get(value);
      alike?.delete(service.uid);
      if (alike?.size === 0) values.delete(value);
      if (values.size === 0) keys.delete(key);
      if (keys.size === 0) spaces.delete(service.namespace);
    },
    selecting: (namespace, labels) => {
      const selecting: KubeObject[] = [];
      for (const [key, values] of spaces.get(namespace) ?? [])
        for (const service of values.get(labels[key] ?? "")?.values() ?? [])
          if (selects(service.selector, labels)) selecting.push(service);
      return selecting.sort((a, b) => (a.uid < b.uid ? -1 : 1));
    },
  };
};

const firstOf = (selector: Labels = {}): readonly [string, string] | undefined => Object.entries(selector)[0];

const selects = (selector: Labels = {}, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);
