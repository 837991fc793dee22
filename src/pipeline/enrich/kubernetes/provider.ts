import type { Kind } from "../../../sdk/kubernetes.ts";
import type { CacheStream, MetadataCache } from "../cache.ts";
import { whyRefused } from "../weight.ts";
import type { KubernetesApi } from "./api.ts";
import { type Follow, type FollowParts, type FollowState, type Listener, openFollow } from "./follow.ts";
import { mapOf, readObject } from "./read-object.ts";
import { nodes, type Resource, resources } from "./resources.ts";

export interface FollowedResource extends FollowState {
  /** Its plural, as paths have it. */
  readonly resource: string;
}

/** What is followed at one API server. */
export interface Provider {
  state(): readonly FollowedResource[];
  /** All of it has been listed once; of one kind alone where it is named. What is forbidden is not waited for. */
  synced(kind?: Kind): boolean;
  /** Whether objects of the kind can come. */
  tells(kind: Kind): boolean;
  close(): Promise<void>;
}

export interface ProviderParts extends Omit<FollowParts, "api" | "listener"> {
  readonly api: KubernetesApi;
}

/** Keeps every kind in the cache. */
export const followObjects = (
  cache: Pick<MetadataCache, "open">,
  annotations: readonly string[],
  parts: ProviderParts,
): Provider =>
  providerOf(
    resources.map((resource) => {
      const listener = keeping(cache.open(), (object) => readObject(resource.kind, object, annotations));
      return { resource, follow: openFollow(resource, { ...parts, listener }) };
    }),
    parts.api,
  );

/** Tells of nodes as they come and go, by name. */
export const followNodes = (
  heard: { added(node: string): void; removed(node: string): void },
  parts: ProviderParts,
): Provider =>
  providerOf([{ resource: nodes, follow: openFollow(nodes, { ...parts, listener: naming(heard) }) }], parts.api);

const providerOf = (
  followed: readonly { readonly resource: Resource; readonly follow: Follow }[],
  api: KubernetesApi,
): Provider => ({
  state: () => followed.map(({ resource, follow }) => ({ resource: resource.name, ...follow.state() })),
  synced: (kind) =>
    followed.every(({ resource, follow }) => {
      const { synced, forbidden } = follow.state();
      return synced || forbidden || (kind !== undefined && resource.kind !== "Node" && resource.kind !== kind);
    }),
  tells: (kind) => followed.some(({ resource, follow }) => resource.kind === kind && !follow.state().forbidden),
  close: async () => {
    await Promise.all(followed.map(({ follow }) => follow.close()));
    api.close();
  },
});

const keeping = (stream: CacheStream, read: (object: unknown) => ReturnType<typeof readObject>): Listener => ({
  put: (item) => {
    const object = read(item);
    if (typeof object === "string") return object;
    return stream.put(object) ? undefined : whyRefused(object);
  },
  remove: stream.remove,
  mark: stream.mark,
  sweep: stream.sweep,
  close: stream.close,
});

/** No cluster has more nodes. */
const mostNodes = 20_000;

const naming = (heard: { added(node: string): void; removed(node: string): void }): Listener => {
  const known = new Map<string, { readonly name: string; told: number }>();
  /** The newest uid of a name: a node that came back has another. */
  const newest = new Map<string, string>();
  let telling = 0;
  const remove = (uid: string): void => {
    const node = known.get(uid);
    known.delete(uid);
    if (!node || newest.get(node.name) !== uid) return;
    newest.delete(node.name);
    heard.removed(node.name);
  };
  return {
    put: (item) => {
      const { uid, name } = mapOf(mapOf(item).metadata);
      if (typeof uid !== "string" || typeof name !== "string") return "uid";
      const node = known.get(uid);
      if (node) node.told = telling;
      else {
        if (known.size >= mostNodes) return "full";
        known.set(uid, { name, told: telling });
        if (!newest.has(name)) heard.added(name);
        newest.set(name, uid);
      }
      return undefined;
    },
    remove,
    mark: () => {
      telling++;
    },
    sweep: async () => {
      const gone = [...known].filter(([, { told }]) => told < telling);
      for (const [uid] of gone) remove(uid);
      return gone.length;
    },
    close: async () => known.clear(),
  };
};
