import type { JsonNode } from "../json/node.ts";
import type { JsonEvent } from "../sdk/json-event.ts";
import type { Kind, KubeReference } from "../sdk/kubernetes.ts";

/** `objectRef.resource` of the kinds that are kept. */
const kindOfResource: Readonly<Record<string, Kind>> = {
  pods: "Pod",
  namespaces: "Namespace",
  deployments: "Deployment",
  replicasets: "ReplicaSet",
  replicationcontrollers: "ReplicationController",
  daemonsets: "DaemonSet",
  services: "Service",
  statefulsets: "StatefulSet",
  jobs: "Job",
  cronjobs: "CronJob",
};

const serviceAccount = /^system:serviceaccount:([^:]+):/;
const podUid = "authentication.kubernetes.io/pod-uid";
const podName = "authentication.kubernetes.io/pod-name";

/**
 * What an audit event says of where it happened (reference: k8smeta §6): its `objectRef`, the uid and the name of what was
 * answered where that lacks them, and the pod whose token was shown.
 */
export const refersTo = (event: JsonEvent): KubeReference | undefined => {
  const root = event.auditRoot;
  if (!root) return undefined;
  const ref = root.get("objectRef");
  const kind = kindOfResource[textOf(ref?.get("resource")) ?? ""];
  const told = { uid: textOf(ref?.get("uid")), name: textOf(ref?.get("name")) };
  // A subresource's answer is another object; what is answered is long, and looked at only where it can tell more.
  const asked = kind && (told.uid === undefined || told.name === undefined) && !ref?.get("subresource");
  const made = asked ? root.get("responseObject")?.get("metadata") : undefined;
  const uid = told.uid ?? textOf(made?.get("uid"));
  const name = told.name ?? textOf(made?.get("name"));
  const namespace = kind === "Namespace" ? undefined : textOf(ref?.get("namespace"));
  const caller = callerOf(root.get("user"));
  if (!ref && !caller) return undefined;
  return {
    ...(kind && { kind }),
    ...(kind && uid !== undefined && { uid }),
    ...(namespace !== undefined && { namespace }),
    ...(kind && name !== undefined && { name }),
    ...(caller && { caller }),
  };
};

const textOf = (node: JsonNode | undefined): string | undefined => {
  const text = node?.kind === "string" ? node.asText() : "";
  return text === "" ? undefined : text;
};

const callerOf = (user: JsonNode | undefined): KubeReference["caller"] => {
  const extra = user?.get("extra");
  const uid = textOf(extra?.get(podUid)?.at(0));
  const name = textOf(extra?.get(podName)?.at(0));
  if (uid === undefined && name === undefined) return undefined;
  const namespace = serviceAccount.exec(textOf(user?.get("username")) ?? "")?.[1];
  return {
    ...(uid !== undefined && { uid }),
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
  };
};
