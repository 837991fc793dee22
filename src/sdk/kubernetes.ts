/** Objects of a cluster as far as events are enriched from them. */

/** Kinds that k8s-metacollector tells of (reference: k8smeta §2); its own client misspells one and leaves one out. */
export const collectedKinds = [
  "Pod",
  "Namespace",
  "Deployment",
  "ReplicaSet",
  "ReplicationController",
  "DaemonSet",
  "Service",
] as const;

/** Kinds that are kept; those beyond the collector's are known where the API server is asked. */
export const kinds = [...collectedKinds, "StatefulSet", "Job", "CronJob"] as const;

export type Kind = (typeof kinds)[number];

const collected = new Set<string>(collectedKinds);
/** Whether a collector tells of the kind. */
export const isCollected = (kind: string): boolean => collected.has(kind);

const known = new Set<string>(kinds);
/** Whether it is a kind that is kept. */
export const isKind = (kind: string): kind is Kind => known.has(kind);

export type Labels = Readonly<Record<string, string>>;

/** The controller that an object names as its own. */
export interface Owner {
  /** As Kubernetes writes it; not only of `kinds`. */
  readonly kind: string;
  readonly uid: string;
  readonly name?: string;
}

export interface KubeObject {
  readonly kind: Kind;
  readonly uid: string;
  readonly name: string;
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  /** Null-prototype; absent: none. */
  readonly labels?: Labels;
  /** Those that were asked for. */
  readonly annotations?: Labels;
  readonly owner?: Owner;
  /** Uids of what a pod belongs to, by kind, where the provider says so itself. */
  readonly refs?: Readonly<Record<string, readonly string[]>>;
  /** Of a Service: the labels that its pods bear; absent: it selects none. */
  readonly selector?: Labels;
  readonly pod?: PodFacts;
}

/** What only pods have; absent where it is not known. */
export interface PodFacts {
  readonly ip?: string;
  readonly node?: string;
  readonly images?: readonly string[];
  /** Ids of its containers, without the runtime's prefix. */
  readonly containers?: readonly string[];
}

/** Where in the cluster an event happened, in its own words; absent: it does not say. */
export interface KubeReference {
  /** The object's kind, of those that are kept; absent: another, of which only the namespace counts. */
  readonly kind?: Kind;
  readonly uid?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Id of a container, whole or its first 12 characters. */
  readonly container?: string;
  /** The pod that acted. */
  readonly caller?: { readonly uid?: string; readonly namespace?: string; readonly name?: string };
}

/** What is known of the object that an event is about, and of what it belongs to; every answer may be undefined: not known. */
export interface KubeView {
  pod(): KubeObject | undefined;
  /** The namespace by its name; `name` is known without the object. */
  namespace(): { readonly name: string; readonly object?: KubeObject } | undefined;
  /** Of a controller: its uid, which a pod knows before the object comes. */
  controller(kind: "Deployment" | "ReplicaSet" | "ReplicationController" | "DaemonSet"): Known | undefined;
  services(): readonly Known[];
  /** The controller above all others. */
  owner(): { readonly kind: string; readonly name?: string } | undefined;
  /** The pod that made the request. */
  caller(): KubeObject | undefined;
}

/** Asked when a field of the cluster is, and not before. */
export type KubeLookup = (reference: KubeReference) => KubeView;

/** An object that another names by its uid. */
export interface Known {
  readonly uid: string;
  readonly object?: KubeObject;
}
