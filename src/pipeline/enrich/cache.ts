import { setImmediate as turn } from "node:timers/promises";
import { type Kind, type KubeObject, kinds, type Labels } from "../../sdk/kubernetes.ts";
import { createNameIndex } from "./name-index.ts";
import { createServiceIndex } from "./service-index.ts";
import { createTextSets } from "./text-sets.ts";
import { isTooLarge, weigh, wholeWeight } from "./weight.ts";

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

export interface CacheFigures {
  /** Without those that are gone. */
  readonly objects: Readonly<Record<Kind, number>>;
  /** An estimate of what the objects take in memory. */
  readonly bytes: number;
  /** Objects that are gone and still within their grace period. */
  readonly gone: number;
  /** How often there was no room for another object. */
  readonly refused: number;
  /** How often one was too large. */
  readonly tooLarge: number;
}

export interface CacheSettings {
  /** Objects at most. */
  readonly maxObjects: number;
  /** Of the estimate, beyond which nothing comes and nothing grows; absent: without end. */
  readonly maxBytes?: number;
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

type Refs = NonNullable<KubeObject["refs"]>;

const containerPrefix = 12;
/** Objects that are looked at before others have their turn. */
const step = 2000;

export const createCache = ({
  maxObjects,
  maxBytes = Number.POSITIVE_INFINITY,
  graceMs,
  clock,
}: CacheSettings): MetadataCache => {
  const byUid = new Map<string, Entry>();
  const byName = createNameIndex<Entry>();
  const byContainer = new Map<string, string>();
  const services = createServiceIndex();
  const labelSets = createTextSets<Labels>();
  const refSets = createTextSets<Refs>();
  const objects: Record<Kind, number> = emptyCounts();
  /** Uids of what is gone, in the order in which it went, and when. */
  const leaving = new Map<string, number>();
  let [own, refused, tooLarge] = [0, 0, 0];
  const bytes = (): number => own + labelSets.bytes() + refSets.bytes();
  const listeners = new Set<() => void>();

  const index = (entry: Entry): void => {
    const { object } = entry;
    for (const id of object.pod?.containers ?? []) byContainer.set(id.slice(0, containerPrefix), object.uid);
    services.add(object);
  };
  const unindex = ({ object }: Entry): void => {
    for (const id of object.pod?.containers ?? [])
      if (byContainer.get(id.slice(0, containerPrefix)) === object.uid)
        byContainer.delete(id.slice(0, containerPrefix));
    services.remove(object);
  };
  const store = ({ labels, refs, ...object }: KubeObject): KubeObject => ({
    ...object,
    ...(labels && { labels: labelSets.keep(labels) }),
    ...(refs && { refs: refSets.keep(refs) }),
  });
  const giveBack = ({ labels, refs }: KubeObject): void => {
    if (labels) labelSets.release(labels);
    if (refs) refSets.release(refs);
  };
  const drop = (entry: Entry): void => {
    const { object } = entry;
    unindex(entry);
    giveBack(object);
    byUid.delete(object.uid);
    byName.delete(object, entry);
    own -= entry.bytes;
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
  const hasRoom = (): boolean => byUid.size < maxObjects && bytes() < maxBytes;
  /** What is gone goes before its time rather than that something new is refused. */
  const makeRoom = (): boolean => {
    expire();
    for (const uid of leaving.keys()) {
      if (hasRoom()) break;
      leaving.delete(uid);
      const entry = byUid.get(uid);
      if (entry) drop(entry);
    }
    return hasRoom();
  };
  const growsTooMuch = (entry: Entry, object: KubeObject): boolean =>
    bytes() >= maxBytes && wholeWeight(object) > wholeWeight(entry.object);
  const create = (object: KubeObject): Entry => {
    const entry: Entry = { object: store(object), bytes: weigh(object), holders: 0 };
    byUid.set(object.uid, entry);
    byName.set(object, entry);
    own += entry.bytes;
    objects[object.kind]++;
    index(entry);
    return entry;
  };
  const update = (entry: Entry, object: KubeObject): void => {
    unindex(entry);
    const kept = store(object);
    giveBack(entry.object);
    entry.object = kept;
    own -= entry.bytes;
    entry.bytes = weigh(object);
    own += entry.bytes;
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
        // Though it may be refused as it is now, it is told of.
        if (held.has(object.uid)) held.set(object.uid, telling);
        if (isTooLarge(object)) {
          tooLarge++;
          return false;
        }
        const there = byUid.get(object.uid);
        if (there ? growsTooMuch(there, object) : !makeRoom()) {
          refused++;
          return false;
        }
        if (there) update(there, object);
        const entry = there ?? create(object);
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
    named: (kind, namespace, name) => byName.get(kind, namespace, name)?.object,
    podOfContainer: (id) => {
      const pod = byUid.get(byContainer.get(id.slice(0, containerPrefix)) ?? "")?.object;
      return pod?.pod?.containers?.some((container) => container.startsWith(id)) ? pod : undefined;
    },
    services: services.selecting,
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
      return { objects: { ...objects }, bytes: bytes(), gone: leaving.size, refused, tooLarge };
    },
  };
};

const emptyCounts = (): Record<Kind, number> => {
  const counts: Partial<Record<Kind, number>> = {};
  for (const kind of kinds) counts[kind] = 0;
  return counts as Record<Kind, number>;
};
