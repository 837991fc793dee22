import type { Known, KubeObject, KubeReference, KubeView } from "../../sdk/kubernetes.ts";
import type { MetadataCache } from "./cache.ts";

/** Looks at the cache when it is asked, so that an event that no rule asks of costs nothing. */
export const createView = (
  cache: MetadataCache,
  reference: KubeReference,
  /** Hears once, when the object is looked for, what came of it. */
  told: Told = () => {},
): KubeView => new View(cache, reference, told);

export type Told = (found: KubeObject | undefined, reference: KubeReference) => void;

class View implements KubeView {
  readonly #cache: MetadataCache;
  readonly #reference: KubeReference;
  readonly #told: Told;
  /** null: it was looked for. */
  #object: KubeObject | null | undefined;

  constructor(cache: MetadataCache, reference: KubeReference, told: Told) {
    this.#told = told;
    this.#cache = cache;
    this.#reference = reference;
  }

  get #found(): KubeObject | undefined {
    if (this.#object === undefined) {
      this.#object = find(this.#cache, this.#reference) ?? null;
      this.#told(this.#object ?? undefined, this.#reference);
    }
    return this.#object ?? undefined;
  }

  pod(): KubeObject | undefined {
    return this.#found?.kind === "Pod" ? this.#found : undefined;
  }

  namespace(): ReturnType<KubeView["namespace"]> {
    const found = this.#found;
    if (found?.kind === "Namespace") return { name: found.name, object: found };
    const { kind, name: own, namespace } = this.#reference;
    const name = found?.namespace || namespace || (kind === "Namespace" ? own : undefined);
    if (name === undefined) return undefined;
    const object = this.#cache.named("Namespace", "", name);
    return { name, ...(object && { object }) };
  }

  controller(kind: Parameters<KubeView["controller"]>[0]): Known | undefined {
    const found = this.#found;
    if (!found) return undefined;
    if (found.kind === kind) return { uid: found.uid, object: found };
    const told = found.refs?.[kind]?.[0];
    const uid = told ?? chain(this.#cache, found).find((owner) => owner.kind === kind)?.uid;
    return uid === undefined ? undefined : this.#known(uid);
  }

  services(): readonly Known[] {
    const found = this.#found;
    if (found?.kind === "Service") return [{ uid: found.uid, object: found }];
    if (found?.kind !== "Pod") return [];
    if (found.refs) return (found.refs.Service ?? []).map((uid) => this.#known(uid));
    const services = found.labels ? this.#cache.services(found.namespace, found.labels) : [];
    return services.map((object) => ({ uid: object.uid, object }));
  }

  owner(): ReturnType<KubeView["owner"]> {
    const found = this.#found;
    if (!found) return undefined;
    const top = chain(this.#cache, found).at(-1) ?? toldOwner(this.#cache, found);
    return top && { kind: top.kind, ...(top.name !== undefined && { name: top.name }) };
  }

  caller(): KubeObject | undefined {
    const { caller } = this.#reference;
    return caller && find(this.#cache, { ...caller, kind: "Pod" });
  }

  #known(uid: string): Known {
    const object = this.#cache.get(uid);
    return { uid, ...(object && { object }) };
  }
}

/** The object that is meant; undefined: it is not known. */
export const find = (cache: MetadataCache, { kind, uid, namespace = "", name, container }: KubeReference) => {
  const byUid = uid === undefined ? undefined : cache.get(uid);
  if (byUid) return byUid;
  const byName = kind && name !== undefined ? cache.named(kind, namespace, name) : undefined;
  return byName ?? (container === undefined ? undefined : cache.podOfContainer(container));
};

/** Owners may be written in circles. */
const mostOwners = 8;

/** The object's controllers, nearest first; the last may be one that is not kept. */
const chain = (cache: MetadataCache, object: KubeObject): readonly { kind: string; uid: string; name?: string }[] => {
  const owners: { kind: string; uid: string; name?: string }[] = [];
  for (let at: KubeObject | undefined = object; at?.owner && owners.length < mostOwners; ) {
    const { owner }: KubeObject = at;
    const known: KubeObject | undefined = cache.get(owner.uid);
    const name = known?.name ?? owner.name;
    owners.push({ kind: owner.kind, uid: owner.uid, ...(name !== undefined && { name }) });
    at = known;
  }
  return owners;
};

const noOwners = new Set(["Namespace", "Service", "Node"]);

/** The owner of a pod of which only uids are told: of two the one above, which is not the ReplicaSet. */
const toldOwner = (cache: MetadataCache, pod: KubeObject): { kind: string; name?: string } | undefined => {
  const kinds = Object.keys(pod.refs ?? {}).filter((kind) => !noOwners.has(kind));
  const kind = kinds.find((one) => one !== "ReplicaSet") ?? kinds[0];
  if (kind === undefined) return undefined;
  const name = cache.get(pod.refs?.[kind]?.[0] ?? "")?.name ?? spokenName(kind, pod);
  return { kind, ...(name !== undefined && { name }) };
};

/** Names of owners that no collector tells of stand in the pods' own names and labels. */
const spokenName = (kind: string, { name, labels }: KubeObject): string | undefined => {
  if (kind === "Job") return labels?.["batch.kubernetes.io/job-name"] ?? labels?.["job-name"];
  return kind === "StatefulSet" ? /^(.+)-\d+$/.exec(name)?.[1] : undefined;
};
