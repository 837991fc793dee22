import { type Kind, type KubeObject, kinds, type Labels } from "../../sdk/kubernetes.ts";
import { createNameIndex } from "./name-index.ts";
import { createServiceIndex } from "./service-index.ts";
import { createTextSets } from "./text-sets.ts";
import { isTooLarge, weigh, wholeWeight } from "./weight.ts";

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

/** Objects by uid, name and container, within bounds; what nobody tells of any more stays for its grace period. */
export class ObjectTable {
  readonly #settings: CacheSettings;
  readonly #byUid = new Map<string, Entry>();
  readonly #byName = createNameIndex<Entry>();
  readonly #byContainer = new Map<string, string>();
  readonly #services = createServiceIndex();
  readonly #labelSets = createTextSets<Labels>();
  readonly #refSets = createTextSets<Refs>();
  readonly #objects: Record<Kind, number> = emptyCounts();
  /** Uids of what is gone, in the order in which it went, and when. */
  readonly #leaving = new Map<string, number>();
  #own = 0;
  #refused = 0;
  #tooLarge = 0;

  constructor(settings: CacheSettings) {
    this.#settings = settings;
  }

  /** False: there is no room for another, or it is too large; what was known of it stays. */
  put(object: KubeObject): boolean {
    if (isTooLarge(object)) {
      this.#tooLarge++;
      return false;
    }
    const there = this.#byUid.get(object.uid);
    if (there ? this.#growsTooMuch(there, object) : !this.#makeRoom()) {
      this.#refused++;
      return false;
    }
    if (there) this.#update(there, object);
    else this.#create(object);
    return true;
  }

  /** One more tells of it; it must be there. */
  hold({ uid, kind }: KubeObject): void {
    const entry = this.#byUid.get(uid);
    if (!entry) return;
    entry.holders++;
    if (this.#leaving.delete(uid)) this.#objects[kind]++;
  }

  /** One of those who told of it does so no more; without any it is gone. */
  release(uid: string): void {
    const entry = this.#byUid.get(uid);
    if (!entry || --entry.holders > 0) return;
    this.#objects[entry.object.kind]--;
    this.#leaving.set(uid, this.#settings.clock());
  }

  /** What has been gone for its grace period is forgotten. */
  expire(): void {
    const until = this.#settings.clock() - this.#settings.graceMs;
    for (const [uid, at] of this.#leaving) {
      if (at > until) break;
      this.#forget(uid);
    }
  }

  get(uid: string): KubeObject | undefined {
    return this.#byUid.get(uid)?.object;
  }

  named(kind: Kind, namespace: string, name: string): KubeObject | undefined {
    return this.#byName.get(kind, namespace, name)?.object;
  }

  podOfContainer(id: string): KubeObject | undefined {
    const pod = this.get(this.#byContainer.get(id.slice(0, containerPrefix)) ?? "");
    return pod?.pod?.containers?.some((container) => container.startsWith(id)) ? pod : undefined;
  }

  services(namespace: string, labels: Labels): readonly KubeObject[] {
    return this.#services.selecting(namespace, labels);
  }

  *all(): Generator<KubeObject> {
    for (const { object } of this.#byUid.values()) yield object;
  }

  isGone(uid: string): boolean {
    return this.#leaving.has(uid);
  }

  figures(): CacheFigures {
    this.expire();
    return {
      objects: { ...this.#objects },
      bytes: this.#bytes(),
      gone: this.#leaving.size,
      refused: this.#refused,
      tooLarge: this.#tooLarge,
    };
  }

  #bytes(): number {
    return this.#own + this.#labelSets.bytes() + this.#refSets.bytes();
  }

  get #maxBytes(): number {
    return this.#settings.maxBytes ?? Number.POSITIVE_INFINITY;
  }

  #hasRoom(): boolean {
    return this.#byUid.size < this.#settings.maxObjects && this.#bytes() < this.#maxBytes;
  }

  /** What is gone goes before its time rather than that something new is refused. */
  #makeRoom(): boolean {
    this.expire();
    for (const uid of this.#leaving.keys()) {
      if (this.#hasRoom()) break;
      this.#forget(uid);
    }
    return this.#hasRoom();
  }

  #growsTooMuch({ object: before }: Entry, object: KubeObject): boolean {
    return this.#bytes() >= this.#maxBytes && wholeWeight(object) > wholeWeight(before);
  }

  #create(object: KubeObject): void {
    const entry: Entry = { object: this.#share(object), bytes: weigh(object), holders: 0 };
    this.#byUid.set(object.uid, entry);
    this.#byName.set(object, entry);
    this.#own += entry.bytes;
    this.#objects[object.kind]++;
    this.#index(entry);
  }

  #update(entry: Entry, object: KubeObject): void {
    this.#unindex(entry);
    const kept = this.#share(object);
    this.#giveBack(entry.object);
    entry.object = kept;
    this.#own -= entry.bytes;
    entry.bytes = weigh(object);
    this.#own += entry.bytes;
    this.#index(entry);
  }

  #forget(uid: string): void {
    this.#leaving.delete(uid);
    const entry = this.#byUid.get(uid);
    if (!entry) return;
    this.#unindex(entry);
    this.#giveBack(entry.object);
    this.#byUid.delete(uid);
    this.#byName.delete(entry.object, entry);
    this.#own -= entry.bytes;
  }

  #index({ object }: Entry): void {
    for (const id of object.pod?.containers ?? []) this.#byContainer.set(id.slice(0, containerPrefix), object.uid);
    this.#services.add(object);
  }

  #unindex({ object }: Entry): void {
    for (const id of object.pod?.containers ?? []) {
      const start = id.slice(0, containerPrefix);
      if (this.#byContainer.get(start) === object.uid) this.#byContainer.delete(start);
    }
    this.#services.remove(object);
  }

  #share({ labels, refs, ...object }: KubeObject): KubeObject {
    return {
      ...object,
      ...(labels && { labels: this.#labelSets.keep(labels) }),
      ...(refs && { refs: this.#refSets.keep(refs) }),
    };
  }

  #giveBack({ labels, refs }: KubeObject): void {
    if (labels) this.#labelSets.release(labels);
    if (refs) this.#refSets.release(refs);
  }
}

const emptyCounts = (): Record<Kind, number> => {
  const counts: Partial<Record<Kind, number>> = {};
  for (const kind of kinds) counts[kind] = 0;
  return counts as Record<Kind, number>;
};
