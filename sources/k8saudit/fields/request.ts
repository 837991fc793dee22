import type { JsonNode } from "../../../src/sdk/json-node.ts";
import {
  arrayAt,
  elements,
  indexed,
  type KaField,
  keyed,
  list,
  listOf,
  nodeAt,
  path,
  solid,
  type Texts,
  textOf,
  walk,
} from "./build.ts";

const subjects = (name: string, about: string, pick: (subject: JsonNode) => string | undefined): KaField =>
  list(name, about, (root) => {
    const array = nodeAt(root, ["requestObject", "subjects"]);
    if (array?.kind !== "array") return undefined;
    return listOf(elements(array).flatMap((subject) => pick(subject) ?? []));
  });

/** The name of a subject of a kind, spelled exactly so. */
const named = (subject: JsonNode, kind: string): JsonNode | undefined => {
  const found = subject.get("kind");
  return found?.kind === "string" && found.asText() === kind ? subject.get("name") : undefined;
};

const nameOf = (kind: string) => (subject: JsonNode) => {
  const name = named(subject, kind);
  return name && textOf(name);
};

/** What a request would bind, grant or configure. */
export const requestFields: readonly KaField[] = [
  arrayAt("ka.req.binding.subjects", "Subjects of a binding, each as JSON text.", "requestObject", "subjects"),
  subjects("ka.req.binding.subjects.user_names", "Names of the users that a binding binds.", nameOf("User")),
  subjects(
    "ka.req.binding.subjects.serviceaccount_names",
    "Names of the service accounts that a binding binds.",
    nameOf("ServiceAccount"),
  ),
  subjects(
    "ka.req.binding.subjects.serviceaccount_ns_names",
    "Service accounts that a binding binds, as namespace:name.",
    (subject) => {
      const name = named(subject, "ServiceAccount");
      const namespace = subject.get("namespace");
      return name && namespace && `${textOf(namespace)}:${textOf(name)}`;
    },
  ),
  subjects("ka.req.binding.subjects.group_names", "Names of the groups that a binding binds.", nameOf("Group")),
  path("ka.req.binding.role", "Name of the role that a binding refers to.", "requestObject", "roleRef", "name"),
  keyed("ka.req.binding.subject.has_name", "Deprecated: always true.", () => () => "true"),
  path("ka.req.configmap.name", "Name of the target object, whatever its kind.", "objectRef", "name"),
  path("ka.req.configmap.obj", "Data of a ConfigMap, as JSON text.", "requestObject", "data"),
  arrayAt("ka.req.role.rules", "Rules of a role, each as JSON text.", "requestObject", "rules"),
  ...(["apiGroups", "nonResourceURLs", "verbs", "resources"] as const).map((key) =>
    indexed(`ka.req.role.rules.${key}`, `The ${key} of the rules of a role, or of one rule.`, (root, index) =>
      flattened(root, ["requestObject", "rules", key], index),
    ),
  ),
  path("ka.req.service.type", "Type of a service.", "requestObject", "spec", "type"),
  indexed("ka.req.service.ports", "All ports of a service as one JSON text.", (root) => {
    const found = walk(root, ["requestObject", "spec", "ports"]);
    return found && listOf(solid(found).map(textOf));
  }),
];

const flattened = (root: JsonNode, keys: readonly string[], index: number | undefined): Texts => {
  const found = walk(root, keys, index);
  return found && listOf(solid(found).flatMap(elements).map(textOf));
};
