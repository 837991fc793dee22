import { setImmediate as turn } from "node:timers/promises";
import { type Kind, type KubeObject, kinds } from "../../sdk/kubernetes.ts";
import { createLabelSets } from "./label-sets.ts";

/** One stream of objects: a Watch of one node at one collector, or one resource of one API server. */
export interface CacheStream {
  /** The object as it is now, new or changed. False: there is no room for another. */
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
  /** Services that select by labels, of one namespace. */
  services(namespace: string): Iterable<KubeObject>;
  all(): Iterable<KubeObject>;
  /** Within its grace period. */
  isGone(uid: string): boolean;
  /** Calls when an object came or changed; the answer ends that. */
  changed(call: () => void): () => void;
  figures(): CacheFigures;
}

export interface CacheFigures {
  /** Without those that are gone. */
  readonly objects: Readonly<Record<Kind, number>>;
  /** An estimate of what the objects take in memory. */
  readonly bytes: number;
  /** Objects that are gone and still within their grace period. */
  readonly gone: number;
  /** How often there was no room for another object. */
  readonly refused: number;
}

export interface CacheSettings {
  /** Objects at most. */
  readonly maxObjects: number;
  /** How long an object is found after it is gone: the audit event of a deletion arrives about then. */
  readonly graceMs: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

interface Entry {
  object: KubeObject;
  bytes: number;
  /** Streams that tell of it. */
  holders: number;
}

const containerPrefix = 12;
/** Objects that are looked at before others have their turn. */
const step = 2000;

export const createCache = ({ maxObjects, graceMs, clock }: CacheSettings): MetadataCache => {
  const byUid = new Map<string, Entry>();
  const byName = new Map<string, Entry>();
  const byContainer = new Map<string, string>();
  const selecting = new Map<string, Map<string, KubeObject>>();
  const labelSets = createLabelSets();
  const objects: Record<Kind, number> = emptyCounts();
  /** Uids of what is gone, in the order in which it went, and when. */
  const leaving = new Map<string, number>();
  let bytes = 0;
  let refused = 0;
  const listeners = new Set<() => void>();

  const index = (entry: Entry): void => {
    const { object } = entry;
    for (const id of object.pod?.containers ?? []) byContainer.set(id.slice(0, containerPrefix), object.uid);
    if (object.kind !== "Service" || !object.selector) return;
    const services = selecting.get(object.namespace) ?? new Map<string, KubeObject>();
    selecting.set(object.namespace, services.set(object.uid, object));
  };
  const unindex = ({ object }: Entry): void => {
    for (const id of object.pod?.containers ?? [])
      if (byContainer.get(id.slice(0, containerPrefix)) === object.uid)
        byContainer.delete(id.slice(0, containerPrefix));
    const services = selecting.get(object.namespace);
    if (services?.delete(object.uid) && services.size === 0) selecting.delete(object.namespace);
  };
  const store = (object: KubeObject): KubeObject =>
    object.labels ? { ...object, labels: labelSets.keep(object.labels) } : object;
  const drop = (entry: Entry): void => {
    const { object } = entry;
    unindex(entry);
    if (object.labels) labelSets.release(object.labels);
    byUid.delete(object.uid);
    if (byName.get(nameKey(object)) === entry) byName.delete(nameKey(object));
    bytes -= entry.bytes;
  };
  const expire = (): void => {
    const until = clock() - graceMs;
    for (const [uid, at] of leaving) {
      if (at > until) break;
      leaving.delete(uid);
      const entry = byUid.get(uid);
      if (entry) drop(entry);
    }
  };
  const create = (object: KubeObject): Entry | undefined => {
    expire();
    if (byUid.size >= maxObjects) {
      refused++;
      return undefined;
    }
    const entry: Entry = { object: store(object), bytes: weigh(object), holders: 0 };
    byUid.set(object.uid, entry);
    byName.set(nameKey(object), entry);
    bytes += entry.bytes;
    objects[object.kind]++;
    index(entry);
    return entry;
  };
  const update = (entry: Entry, object: KubeObject): void => {
    unindex(entry);
    if (entry.object.labels) labelSets.release(entry.object.labels);
    bytes -= entry.bytes;
    entry.object = store(object);
    entry.bytes = weigh(object);
    bytes += entry.bytes;
    index(entry);
  };
  const release = (uid: string): void => {
    const entry = byUid.get(uid);
    if (!entry || --entry.holders > 0) return;
    objects[entry.object.kind]--;
    leaving.set(uid, clock());
  };

  const open = (): CacheStream => {
    /** What the stream tells of, and in which telling it did so last. */
    const held = new Map<string, number>();
    let telling = 0;
    const removeWhere = async (goes: (told: number) => boolean): Promise<number> => {
      let [seen, went] = [0, 0];
      for (const [uid, told] of held) {
        if (goes(told)) {
          held.delete(uid);
          release(uid);
          went++;
        }
        if (++seen % step === 0) await turn();
      }
      expire();
      return went;
    };
    return {
      put: (object) => {
        const there = byUid.get(object.uid);
        if (there) update(there, object);
        const entry = there ?? create(object);
        if (!entry) return false;
        if (!held.has(object.uid)) {
          entry.holders++;
          if (leaving.delete(object.uid)) objects[object.kind]++;
        }
        held.set(object.uid, telling);
        for (const call of listeners) call();
        return true;
      },
      remove: (uid) => {
        if (held.delete(uid)) release(uid);
        expire();
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

  return {
    open,
    get: (uid) => byUid.get(uid)?.object,
    named: (kind, namespace, name) => byName.get(`${kind} ${namespace}/${name}`)?.object,
    podOfContainer: (id) => {
      const pod = byUid.get(byContainer.get(id.slice(0, containerPrefix)) ?? "")?.object;
      return pod?.pod?.containers?.some((container) => container.startsWith(id)) ? pod : undefined;
    },
    services: (namespace) => selecting.get(namespace)?.values() ?? [],
    *all() {
      for (const { object } of byUid.values()) yield object;
    },
    isGone: (uid) => leaving.has(uid),
    changed: (call) => {
      listeners.add(call);
      return () => listeners.delete(call);
    },
    figures: () => {
      expire();
      return { objects: { ...objects }, bytes, gone: leaving.size, refused };
    },
  };
};

const emptyCounts = (): Record<Kind, number> => {
  const counts: Partial<Record<Kind, number>> = {};
  for (const kind of kinds) counts[kind] = 0;
  return counts as Record<Kind, number>;
};

const nameKey = ({ kind, namespace, name }: KubeObject): string => `${kind} ${namespace}/${name}`;

/** Bytes of an entry beside its texts: objects, places in the maps. */
const frame = 600;

/** Texts of one byte a character, with what the engine adds to each. */
const weigh = ({ uid, name, namespace, refs, annotations, pod, selector, owner }: KubeObject): number => {
  const texts = [uid, uid, name, name, namespace, owner?.uid ?? "", owner?.name ?? "", pod?.ip ?? "", pod?.node ?? ""];
  for (const uids of Object.values(refs ?? {})) texts.push(...uids);
  for (const [key, value] of Object.entries({ ...annotations, ...selector })) texts.push(key, value);
  texts.push(...(pod?.images ?? []), ...(pod?.containers ?? []));
  return texts.reduce((sum, text) => sum + 24 + text.length, frame);
};
