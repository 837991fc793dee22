import type { JsonNode } from "../../json/node.ts";
import { elements } from "../body/steps.ts";
import {
  arrayIn,
  indexed,
  type KaField,
  keyed,
  list,
  listOf,
  nodeAt,
  path,
  pathIn,
  type Shown,
  solid,
  textOf,
  walkIn,
} from "./build.ts";

const subjects = (
  shown: Shown,
  name: string,
  about: string,
  pick: (subject: JsonNode) => string | undefined,
): KaField =>
  list(`${shown.prefix}.binding.subjects.${name}`, shown.about(about), (root) => {
    const array = nodeAt(shown.object(root), ["subjects"]);
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

/** What an object binds, grants or configures. */
export const requestFields = (shown: Shown): readonly KaField[] => [
  arrayIn(shown, "binding.subjects", "Subjects of a binding, each as JSON text.", "subjects"),
  subjects(shown, "user_names", "Names of the users that a binding binds.", nameOf("User")),
  subjects(
    shown,
    "serviceaccount_names",
    "Names of the service accounts that a binding binds.",
    nameOf("ServiceAccount"),
  ),
  subjects(shown, "serviceaccount_ns_names", "Service accounts that a binding binds, as namespace:name.", (subject) => {
    const name = named(subject, "ServiceAccount");
    const namespace = subject.get("namespace");
    return name && namespace && `${textOf(namespace)}:${textOf(name)}`;
  }),
  subjects(shown, "group_names", "Names of the groups that a binding binds.", nameOf("Group")),
  pathIn(shown, "binding.role", "Name of the role that a binding refers to.", "roleRef", "name"),
  pathIn(shown, "configmap.obj", "Data of a ConfigMap, as JSON text.", "data"),
  arrayIn(shown, "role.rules", "Rules of a role, each as JSON text.", "rules"),
  ...(["apiGroups", "nonResourceURLs", "verbs", "resources"] as const).map((key) =>
    indexed(
      `${shown.prefix}.role.rules.${key}`,
      shown.about(`The ${key} of the rules of a role, or of one rule.`),
      (root, index) => {
        const found = walkIn(shown, root, ["rules", key], index);
        return found && listOf(solid(found).flatMap(elements).map(textOf));
      },
    ),
  ),
  pathIn(shown, "service.type", "Type of a service.", "spec", "type"),
  indexed(`${shown.prefix}.service.ports`, shown.about("All ports of a service as one JSON text."), (root) => {
    const found = walkIn(shown, root, ["spec", "ports"]);
    return found && listOf(solid(found).map(textOf));
  }),
];

/** Fields whose names say more than they show, kept for rules that use them. */
export const oddRequestFields: readonly KaField[] = [
  keyed("ka.req.binding.subject.has_name", "Deprecated: always true.", () => () => "true"),
  path("ka.req.configmap.name", "Name of the target object, whatever its kind.", "objectRef", "name"),
];
