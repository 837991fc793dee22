/** A cluster that is made up: as a collector tells of it, or as the API server lists it. */

import type { CollectorEvent } from "../src/pipeline/enrich/collector/client.ts";
import { readObject } from "../src/pipeline/enrich/collector/read-object.ts";
import type { KubeObject } from "../src/sdk/kubernetes.ts";

/** Pods of one workload; each workload has a deployment, a replica set and two services. */
const podsOfWorkload = 10;
const workloadsOfNamespace = 20;
const labelsOfPod = 20;

const uidOf = (kind: string, n: number): string =>
  `${kind.length.toString(16).padStart(8, "0")}-${(n >>> 16).toString(16).padStart(4, "0")}-4${kind.slice(0, 3)}-8000-${n.toString(16).padStart(12, "0")}`;

/** `own`: how many of a pod's labels no other pod bears, as those of stateful sets and jobs. */
export function* eventsOf(pods: number, own = 0): Generator<CollectorEvent> {
  for (let workload = 0; workload * podsOfWorkload < pods; workload++) {
    const space = Math.floor(workload / workloadsOfNamespace);
    if (workload % workloadsOfNamespace === 0)
      yield create("Namespace", space, { name: `space-${space}`, labels: { team: `team-${space % 7}`, tier: "shop" } });
    const namespace = `space-${space}`;
    const name = `workload-${workload}`;
    const labels = { app: name, team: `team-${space % 7}` };
    yield create("Deployment", workload, { name, namespace, labels });
    yield create("ReplicaSet", workload, { name: `${name}-7d9c8b6f5`, namespace, labels });
    for (const service of [0, 1])
      yield create("Service", 2 * workload + service, { name: `${name}-${service}`, namespace, labels });
    const refs = {
      Namespace: [uidOf("Namespace", space)],
      Deployment: [uidOf("Deployment", workload)],
      ReplicaSet: [uidOf("ReplicaSet", workload)],
      Service: [uidOf("Service", 2 * workload), uidOf("Service", 2 * workload + 1)],
    };
    for (let i = 0; i < podsOfWorkload; i++) yield podOf(workload * podsOfWorkload + i, workload, namespace, refs, own);
  }
}

const podOf = (
  n: number,
  workload: number,
  namespace: string,
  refs: Readonly<Record<string, readonly string[]>>,
  own: number,
): CollectorEvent => {
  const labels = Array.from({ length: labelsOfPod }, (_, i): [string, string] => [
    `example.com/label-${i}`,
    i < own ? `value-${i}-of-pod-${n}` : `value-${i}-of-${workload}`,
  ]);
  return {
    ...create("Pod", n, {
      name: `workload-${workload}-7d9c8b6f5-${n.toString(36).padStart(5, "0")}`,
      namespace,
      labels: Object.fromEntries(labels),
    }),
    status: JSON.stringify({ podIP: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}` }),
    refs: { resources: Object.fromEntries(Object.entries(refs).map(([kind, list]) => [kind, { list }])) },
  };
};

const create = (kind: string, n: number, meta: object): CollectorEvent => ({
  reason: "Create",
  uid: uidOf(kind, n),
  kind,
  meta: JSON.stringify({ ...meta, uid: uidOf(kind, n) }),
});

/** The objects as they are read from what came over the wire: no text is shared that was not. */
export function* objectsOf(pods: number, own = 0): Generator<KubeObject> {
  for (const event of eventsOf(pods, own)) {
    const object = readObject(JSON.parse(JSON.stringify(event)));
    if (typeof object !== "string") yield object;
  }
}
