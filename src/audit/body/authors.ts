import type { JsonNode } from "../../json/node.ts";
import type { JsonEvent } from "../../sdk/json-event.ts";
import { bodiesOf } from "./bodies.ts";
import { elements } from "./steps.ts";

/** Workloads whose pods the control plane starts for their author, by resource, with the kind that owner references name. */
const kinds: ReadonlyMap<string, string> = new Map([
  ["deployments", "Deployment"],
  ["replicasets", "ReplicaSet"],
  ["daemonsets", "DaemonSet"],
  ["statefulsets", "StatefulSet"],
  ["replicationcontrollers", "ReplicationController"],
  ["jobs", "Job"],
  ["cronjobs", "CronJob"],
]);

const limit = 50_000;
/** Of each workload, who changed it last; the longest unchanged first. */
const authors = new Map<string, string>();

const key = (...parts: readonly string[]): string => JSON.stringify(parts);
const textAt = (node: JsonNode | undefined, name: string): string => node?.get(name)?.asText() ?? "";

const controllers = /^system:(?:kube-controller-manager$|serviceaccount:kube-system:[a-z-]+-controller$)/;

/**
 * Remembers who changes workloads, so that `authorOf` knows the person behind a controller's pods. To be called with each
 * event before it is judged. What a controller makes has its owner's author. Bounded; a help for reading alerts, no proof.
 */
export const rememberAuthor = (event: JsonEvent): void => {
  const root = event.auditRoot;
  const ref = root?.get("objectRef");
  const kind = kinds.get(textAt(ref, "resource"));
  if (!root || !ref || kind === undefined || textAt(ref, "subresource") !== "") return;
  if (textAt(root, "stage") !== "ResponseComplete" || !changes.has(textAt(root, "verb"))) return;
  if (!textAt(root.get("responseStatus"), "code").startsWith("2")) return;
  const { after } = bodiesOf(root);
  const name = textAt(ref, "name") || textAt(after?.get("metadata"), "name");
  const author = authorOf(root, event.cluster);
  if (name === "" || author === undefined) return;
  const place = key(event.cluster ?? "", textAt(ref, "namespace"), kind, name);
  // What a controller changes of a thing without an owner (its status, its scale) is not its work.
  if (author === textAt(root.get("user"), "username") && controllers.test(author)) return;
  authors.delete(place);
  authors.set(place, author);
  if (authors.size > limit) authors.delete(authors.keys().next().value as string);
};

const changes = new Set(["create", "update", "patch"]);

export const authorOf = (root: JsonNode, cluster = ""): string | undefined => {
  const { after } = bodiesOf(root);
  const owners = elements(after?.get("metadata")?.get("ownerReferences"));
  const owner = owners.find((each) => each.get("controller")?.kind === "true") ?? owners[0];
  const user = textAt(root.get("impersonatedUser"), "username") || textAt(root.get("user"), "username");
  if (!owner) return user === "" ? undefined : user;
  const [kind, name] = [textAt(owner, "kind"), textAt(owner, "name")];
  const namespace = textAt(root.get("objectRef"), "namespace");
  return authors.get(key(cluster, namespace, kind, name)) ?? `${kind}/${name}`;
};
