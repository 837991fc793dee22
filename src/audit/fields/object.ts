import { hasEqualKeys } from "../../json/equal-keys.ts";
import type { JsonNode } from "../../json/node.ts";
import { authorOf } from "../body/authors.ts";
import { bindsAuthor } from "../body/binding.ts";
import { bodiesOf, touches } from "../body/bodies.ts";
import { requestedIdentity } from "../body/certificate-request.ts";
import { isDryRun } from "../body/dry-run.ts";
import { queryValues } from "../body/query.ts";
import { elements, pointerSteps, valueAt } from "../body/steps.ts";
import { cutAtNul, indexed, type KaField, keyed, list, listOf, nodeAt, text, textOf } from "./build.ts";

const sessions = new Set(["exec", "attach", "portforward"]);

const identityOf = (root: JsonNode) => {
  const request = nodeAt(bodiesOf(root).after, ["spec", "request"]);
  return request && requestedIdentity(request.asText());
};

const debugFields = (
  [
    ["name", "Names", ["name"], ""],
    ["image", "Images", ["image"], ""],
    ["privileged", "Privileged flags", ["securityContext", "privileged"], "false"],
  ] as const
).map(([name, what, keys, missing]) =>
  indexed(
    `ka.obj.debug.${name}`,
    `${what} of the debug containers that the request puts into a pod.`,
    (root, index) => {
      const all = debugContainers(root);
      const chosen = index === undefined ? all : all.slice(index, index + 1);
      return listOf(chosen.map((node) => nodeAt(node, keys)).map((node) => (node ? textOf(node) : missing)));
    },
  ),
);

/** Of a patch those that it sends: the pod shows earlier ones, too, which nobody can take away again. */
const debugContainers = (root: JsonNode): readonly JsonNode[] => {
  const { asked, after } = bodiesOf(root);
  return elements(nodeAt(asked ?? after, ["spec", "ephemeralContainers"]));
};

/** Eyrie's own fields of what a request makes of an object, and how. */
export const objectFields: readonly KaField[] = [
  keyed(
    "ka.obj.value",
    "After the request: value of the object at a JSON pointer, as text; escapes in it are decoded.",
    (key) => {
      const steps = pointerSteps(key);
      return (root) => {
        const node = valueAt(bodiesOf(root).after, steps);
        return node && textOf(node);
      };
    },
  ),
  text("ka.obj.name", "Name of the object: the target's, else the one that the object itself has.", (root) => {
    const target = nodeAt(root, ["objectRef", "name"]);
    const name = target && textOf(target) !== "" ? target : nodeAt(bodiesOf(root).after, ["metadata", "name"]);
    return name && textOf(name);
  }),
  list("ka.obj.labels", "After the request: labels of the object, each as key=value.", (root) => {
    const labels = nodeAt(bodiesOf(root).after, ["metadata", "labels"]);
    if (labels?.kind !== "object") return undefined;
    return listOf(labels.keys().map((key, i) => `${key}=${labels.at(i)?.asText() ?? ""}`));
  }),
  text(
    "ka.obj.configmap.binary",
    "After the request: keys and values of a ConfigMap's binaryData, decoded, as text.",
    (root) => {
      const data = nodeAt(bodiesOf(root).after, ["binaryData"]);
      if (data?.kind !== "object" || data.size === 0) return undefined;
      const decoded = (at: number) => Buffer.from(data.at(at)?.asText() ?? "", "base64").toString("latin1");
      return data
        .keys()
        .map((key, at) => `${key}=${decoded(at).replaceAll("\0", " ")}`)
        .join("\n");
    },
  ),
  list("ka.obj.owners", "After the request: owners of the object, each as Kind/name.", (root) =>
    listOf(
      elements(nodeAt(bodiesOf(root).after, ["metadata", "ownerReferences"])).map(
        (owner) => `${owner.get("kind")?.asText() ?? ""}/${owner.get("name")?.asText() ?? ""}`,
      ),
    ),
  ),
  text("ka.obj.shown", "Whether the event holds the object as it is after the request, true or false.", (root) =>
    String(bodiesOf(root).shown),
  ),
  text(
    "ka.obj.binding.to_author",
    "Whether a subject of a binding is who makes the request, or a group he is in, true or false.",
    (root) => String(bindsAuthor(root)),
  ),
  text(
    "ka.obj.csr.user",
    "User whom a certificate signing request asks to be (its common name).",
    (root) => identityOf(root)?.user,
  ),
  list("ka.obj.csr.groups", "Groups that a certificate signing request asks to be in (its organizations).", (root) =>
    listOf(identityOf(root)?.groups ?? []),
  ),
  ...debugFields,
  list(
    "ka.obj.debug.add_capabilities",
    "Capabilities that the debug containers of the request add, in upper case without CAP_.",
    (root) =>
      listOf(
        debugContainers(root).flatMap((node) =>
          elements(nodeAt(node, ["securityContext", "capabilities", "add"])).map((added) =>
            textOf(added).trim().toUpperCase().replace(/^CAP_/, ""),
          ),
        ),
      ),
  ),
  keyed(
    "ka.touches",
    "Whether the request writes at, above or below the path in brackets, true or false; true where that is not to be seen.",
    (key) => {
      const steps = pointerSteps(key);
      return (root) => String(touches(bodiesOf(root), steps));
    },
  ),
  text("ka.dryrun", "Whether the API server stores nothing of the request, true or false.", (root) =>
    String(isDryRun(root)),
  ),
  text("ka.req.json_patch", "Whether the body is a JSON patch (RFC 6902), true or false.", (root) =>
    String(root.get("requestObject")?.kind === "array"),
  ),
  text(
    "ka.req.equal_keys",
    "Whether an object in the body has a key twice, true or false; API servers take the last.",
    (root) => {
      const body = root.get("requestObject");
      return String(body !== undefined && hasEqualKeys(body));
    },
  ),
  text(
    "ka.exec.command",
    "Whole command line of an exec, its words joined by blanks; empty for a session that names none.",
    (root) => {
      const words = queryValues(root, "command");
      const subresource = nodeAt(root, ["objectRef", "subresource"]);
      const session = subresource !== undefined && sessions.has(textOf(subresource));
      return words.length === 0 && !session ? undefined : cutAtNul(words.join(" "));
    },
  ),
  text(
    "ka.obj.author",
    "Who is behind an object that something else owns: the user who last changed its owner, as far as this process saw it, else the owner as Kind/name. Without an owner the user of the request.",
    (root, event) => authorOf(root, event.cluster),
  ),
];
