import { setImmediate as turn } from "node:timers/promises";
import type { Kind, KubeObject, Labels } from "../../sdk/kubernetes.ts";
import { type CacheFigures, type CacheSettings, ObjectTable } from "./object-table.ts";

/** One stream of objects: a Watch of one node at one collector, or one resource of one API server. */
export interface CacheStream {
  /** The object as it is now, new or changed. False: there is no room for another, or it is too large (`whyRefused`). */
  put(object: KubeObject): boolean;
  /** This stream tells no more of it: deleted, or of no concern to its node. */
  remove(uid: string): void;
  /** A new telling begins: what it does not name until `sweep` is gone. */
  mark(): void;
  /** Ends the telling; resolves with how many objects went. Works in steps between which others have their turn. */
  sweep(): Promise<number>;
  /** Every object of this stream goes. */
  close(): Promise<void>;
}

export interface MetadataCache {
  open(): CacheStream;
  /** Also for a grace period after the object is gone. */
  get(uid: string): KubeObject | undefined;
  /** The newest of this name; `namespace` is empty for objects of the cluster. */
  named(kind: Kind, namespace: string, name: string): KubeObject | undefined;
  /** The pod of a container, by its id or the first 12 characters of it. */
  podOfContainer(id: string): KubeObject | undefined;
  /** Services of one namespace that select what bears the labels, by uid. */
  services(namespace: string, labels: Labels): readonly KubeObject[];
  all(): Iterable<KubeObject>;
  /** Within its grace period. */
  isGone(uid: string): boolean;
  /** Calls when an object came or changed; the answer ends that. */
  changed(call: () => void): () => void;
  figures(): CacheFigures;
}

/** Objects that are looked at before others have their turn. */
const step = 2000;

export const createCache = (settings: CacheSettings): MetadataCache => {
  const table = new ObjectTable(settings);
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const call of listeners) call();
  };
  return {
    open: () => openStream(table, changed),
    get: (uid) => table.get(uid),
    named: (kind, namespace, name) => table.named(kind, namespace, name),
    podOfContainer: (id) => table.podOfContainer(id),
    services: (namespace, labels) => table.services(namespace, labels),
    all: () => table.all(),
    isGone: (uid) => table.isGone(uid),
    changed: (call) => {
      listeners.add(call);
      return () => listeners.delete(call);
    },
    figures: () => table.figures(),
  };
};

const openStream = (table: ObjectTable, changed: () => void): CacheStream => {
  /** What the stream tells of, and in which telling it did so last. */
  const held = new Map<string, number>();
  let telling = 0;
  const removeWhere = async (goes: (told: number) => boolean): Promise<number> => {
    let [seen, went] = [0, 0];
    for (const [uid, told] of held) {
      if (goes(told)) {
        held.delete(uid);
        table.release(uid);
        went++;
      }
      if (++seen % step === 0) await turn();
    }
    table.expire();
    return went;
  };
  return {
    put: (object) => {
      const known = held.has(object.uid);
      // Though it may be refused as it is now, it is told of.
      if (known) held.set(object.uid, telling);
      if (!table.put(object)) return false;
      if (!known) table.hold(object);
      held.set(object.uid, telling);
      changed();
      return true;
    },
    remove: (uid) => {
      if (held.delete(uid)) table.release(uid);
      table.expire();
    },
    mark: () => {
      telling++;
    },
    sweep: () => {
      const current = telling;
      return removeWhere((told) => told < current);
    },
    close: async () => void (await removeWhere(() => true)),
  };
};
