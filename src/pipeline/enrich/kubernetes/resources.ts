import type { Kind } from "../../../sdk/kubernetes.ts";

/** What is listed and watched, and what a service account must therefore be allowed to `list` and `watch`. */
export interface Resource {
  readonly kind: Kind | "Node";
  /** Empty: the core group. */
  readonly apiGroup: string;
  /** As RBAC and paths have it. */
  readonly name: string;
  /** More than its metadata is needed. */
  readonly whole?: true;
}

/** One for each kind that is kept. */
export const resources = [
  { kind: "Namespace", apiGroup: "", name: "namespaces" },
  { kind: "Service", apiGroup: "", name: "services", whole: true },
  { kind: "Deployment", apiGroup: "apps", name: "deployments" },
  { kind: "ReplicaSet", apiGroup: "apps", name: "replicasets" },
  { kind: "ReplicationController", apiGroup: "", name: "replicationcontrollers" },
  { kind: "DaemonSet", apiGroup: "apps", name: "daemonsets" },
  { kind: "StatefulSet", apiGroup: "apps", name: "statefulsets" },
  { kind: "CronJob", apiGroup: "batch", name: "cronjobs" },
  { kind: "Job", apiGroup: "batch", name: "jobs" },
  { kind: "Pod", apiGroup: "", name: "pods", whole: true },
] as const satisfies readonly (Resource & { readonly kind: Kind })[];

/** Asked for where collectors are to be told of nodes. */
export const nodes: Resource = { kind: "Node", apiGroup: "", name: "nodes" };

/** In all namespaces. */
export const pathOf = ({ apiGroup, name }: Resource): string =>
  apiGroup === "" ? `/api/v1/${name}` : `/apis/${apiGroup}/v1/${name}`;

/** Of most kinds labels and owners are enough, and the server leaves out the rest. */
export const acceptOf = ({ whole }: Resource, what: "list" | "watch"): string => {
  const shape = what === "list" ? "PartialObjectMetadataList" : "PartialObjectMetadata";
  return whole ? "application/json" : `application/json;as=${shape};g=meta.k8s.io;v=v1,application/json`;
};
