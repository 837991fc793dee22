import type { JsonNode } from "../../json/node.ts";
import { elements } from "../body/steps.ts";
import {
  hole,
  indexed,
  type KaField,
  listOf,
  nodeAt,
  type Shown,
  solid,
  type Texts,
  textOf,
  type Walked,
  walk,
} from "./build.ts";

type Show = (found: Walked, object: JsonNode) => Texts;

/** Every container must have the key, or nothing is shown. */
const whole: Show = (found) => (found.includes(hole) ? undefined : listOf(solid(found).map(textOf)));

/** Containers without the key are left out, so positions say nothing about containers. */
const present: Show = (found) => listOf(solid(found).map(textOf));

/** Text before the first `:`, then before the first `@`; a registry's port is cut off with all that follows. */
export const bareRepository = (image: string): string => (image.split(":", 1)[0] ?? "").split("@", 1)[0] ?? "";

const repository: Show = (found, object) => whole(found, object)?.map(bareRepository);

/** The words of each container that has some, joined by blanks; a value that is no array of strings hides them all. */
const words: Show = (found) => {
  const lines: string[] = [];
  for (const node of solid(found)) {
    const parts = elements(node);
    if (node.kind !== "array" || parts.some((part) => part.kind !== "string")) return undefined;
    lines.push(parts.map(textOf).join(" "));
  }
  return listOf(lines);
};

/** Of each port its hostPort, else its containerPort. */
const ports: Show = (found) => {
  const shown: string[] = [];
  for (const node of solid(found)) {
    if (node.kind !== "array") return undefined;
    for (const port of elements(node)) {
      const number = port.get("hostPort") ?? port.get("containerPort");
      if (number) shown.push(textOf(number));
    }
  }
  return listOf(shown);
};

/** One value per container; where the container does not say, what stands at `spec`, else `0`. */
const effective =
  (key: string): Show =>
  (found, object) => {
    const standard = nodeAt(object, ["spec", key]);
    return listOf(found.map((node) => (node ? textOf(node) : standard ? textOf(standard) : "0")));
  };

interface Spec {
  readonly name: string;
  readonly about: string;
  readonly keys: readonly string[];
  readonly show: Show;
}

const inside = (name: string, about: string, key: string): Spec => ({
  name,
  about,
  keys: ["securityContext", key],
  show: present,
});

const specs: readonly Spec[] = [
  { name: "args", about: "Arguments of each container that has some, joined by blanks", keys: ["args"], show: words },
  {
    name: "command",
    about: "Command of each container that has one, joined by blanks",
    keys: ["command"],
    show: words,
  },
  { name: "name", about: "Names of the containers; none if one lacks it", keys: ["name"], show: whole },
  { name: "image", about: "Images of the containers; none if one lacks it", keys: ["image"], show: whole },
  {
    name: "image.repository",
    about: "Images of the containers up to the first colon or at sign",
    keys: ["image"],
    show: repository,
  },
  { name: "host_port", about: "Host ports, or else container ports", keys: ["ports"], show: ports },
  inside("privileged", "The privileged flags that containers set", "privileged"),
  inside(
    "allow_privilege_escalation",
    "The allowPrivilegeEscalation flags that containers set",
    "allowPrivilegeEscalation",
  ),
  inside("read_only_fs", "The readOnlyRootFilesystem flags that containers set", "readOnlyRootFilesystem"),
  inside("run_as_user", "The runAsUser values that containers set", "runAsUser"),
  {
    name: "eff_run_as_user",
    about: "The runAsUser beside each container's name, or else 0; see ka.podspec.containers.eff_run_as_user",
    keys: ["runAsUser"],
    show: effective("runAsUser"),
  },
  inside("run_as_group", "The runAsGroup values that containers set", "runAsGroup"),
  {
    name: "eff_run_as_group",
    about: "The runAsGroup beside each container's name, or else 0; see ka.podspec.containers.eff_run_as_group",
    keys: ["runAsGroup"],
    show: effective("runAsGroup"),
  },
  inside("proc_mount", "The procMount values that containers set", "procMount"),
  {
    name: "add_capabilities",
    about: "Added capabilities, one JSON text for each container that adds some",
    keys: ["securityContext", "capabilities", "add"],
    show: present,
  },
];

const kinds = {
  containers: "containers",
  initContainers: "init containers",
  ephemeralContainers: "ephemeral containers",
};

/** The containers of a Pod, one family of fields per kind of container. */
export const containerFields = (shown: Shown): readonly KaField[] =>
  Object.entries(kinds).flatMap(([key, kind]) =>
    specs
      // Ephemeral containers have no ports, and the original declares no such field.
      .filter((spec) => !(key === "ephemeralContainers" && spec.name === "host_port"))
      .map((spec) => {
        const keys = ["spec", key, ...spec.keys];
        const about = shown.about(`${spec.about} (${kind} of a Pod).`);
        return indexed(`${shown.prefix}.pod.${key}.${spec.name}`, about, (root, index) => {
          const object = shown.object(root);
          const found = object && walk(object, keys, index);
          return found && spec.show(found, object);
        });
      }),
  );
