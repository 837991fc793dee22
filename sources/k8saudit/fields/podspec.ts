import type { JsonNode } from "../../../src/sdk/json-node.ts";
import { elements, indexed, type KaField, listOf, nodeAt, text, textOf } from "./build.ts";

/** Where a request object of any workload holds its pods: Pod, the workloads of apps and batch, CronJob, PodTemplate. */
const places: readonly (readonly string[])[] = [
  ["spec"],
  ["spec", "template", "spec"],
  ["spec", "jobTemplate", "spec", "template", "spec"],
  ["template", "spec"],
];

const kinds = { containers: "container", initContainers: "init", ephemeralContainers: "ephemeral" } as const;
const kindKeys = Object.keys(kinds) as (keyof typeof kinds)[];

/** All that look like a pod's spec, so that none hides behind another. */
const podSpecs = (root: JsonNode): readonly JsonNode[] => {
  const object = root.get("requestObject");
  const found = places.map((keys) => nodeAt(object, keys)).filter((node) => node !== undefined);
  return found.filter((node) => kindKeys.some((key) => node.get(key)?.kind === "array"));
};

interface Container {
  readonly node: JsonNode;
  readonly spec: JsonNode;
  readonly kind: (typeof kinds)[keyof typeof kinds];
}

const containersOf = (root: JsonNode): readonly Container[] =>
  podSpecs(root).flatMap((spec) =>
    kindKeys.flatMap((key) => {
      const array = spec.get(key);
      return array ? elements(array).map((node) => ({ node, spec, kind: kinds[key] })) : [];
    }),
  );

/** A list over all containers, init and ephemeral ones included; an index is the position of a container. */
const perContainer = (name: string, about: string, show: (container: Container) => readonly string[]): KaField =>
  indexed(`ka.podspec.containers.${name}`, about, (root, index) => {
    const all = containersOf(root);
    return listOf((index === undefined ? all : all.slice(index, index + 1)).flatMap(show));
  });

/** One value for each container, so that positions agree between fields. */
const one = (keys: readonly string[], missing: string) => (container: Container) => {
  const node = nodeAt(container.node, keys);
  return [node === undefined || node.kind === "null" ? missing : textOf(node)];
};

/** The container's own setting, else the pod's, else what is documented for neither. */
const effective = (key: string, missing: string) => (container: Container) => {
  const own = nodeAt(container.node, ["securityContext", key]);
  const node = own && own.kind !== "null" ? own : nodeAt(container.spec, ["securityContext", key]);
  return [node === undefined || node.kind === "null" ? missing : textOf(node)];
};

const joined = (key: string) => (container: Container) => {
  const words = container.node.get(key);
  return [words ? elements(words).map(textOf).join(" ") : ""];
};

/** An image without digest and tag: a colon before the last slash is a registry's port. */
export const repositoryOf = (image: string): string => {
  const bare = image.split("@", 1)[0] ?? "";
  const colon = bare.lastIndexOf(":");
  return colon > bare.lastIndexOf("/") ? bare.slice(0, colon) : bare;
};

const tagOf = (image: string): string => {
  const bare = image.split("@", 1)[0] ?? "";
  const repository = repositoryOf(image);
  return bare.length > repository.length ? bare.slice(repository.length + 1) : image.includes("@") ? "" : "latest";
};

const imageOf = (container: Container): string => one(["image"], "")(container)[0] ?? "";

const flag = (key: string, about: string): KaField =>
  text(`ka.podspec.${key.replace("host", "host_").toLowerCase()}`, about, (root) => {
    const specs = podSpecs(root);
    return specs.length === 0 ? undefined : String(specs.some((spec) => spec.get(key)?.kind === "true"));
  });

const perVolume = (name: string, about: string, show: (volume: JsonNode) => readonly string[]): KaField =>
  indexed(`ka.podspec.volumes.${name}`, about, (root, index) => {
    const volumes = podSpecs(root).flatMap((spec) => {
      const array = spec.get("volumes");
      return array ? elements(array) : [];
    });
    return listOf((index === undefined ? volumes : volumes.slice(index, index + 1)).flatMap(show));
  });

const of = "of every container of a Pod or of a workload's template, init and ephemeral ones included";

/** Eyrie's own fields: what `ka.req.pod.*` shows, of every workload and every container, as one would expect it. */
export const podSpecFields: readonly KaField[] = [
  perContainer("name", `Name ${of}.`, one(["name"], "")),
  perContainer("type", `Kind ${of}: container, init or ephemeral.`, ({ kind }) => [kind]),
  perContainer("image", `Image ${of}.`, one(["image"], "")),
  perContainer("image.repository", `Image without tag and digest, a registry's port kept, ${of}.`, (container) => [
    repositoryOf(imageOf(container)),
  ]),
  perContainer("image.tag", `Tag of the image (latest where none is written) ${of}.`, (container) => [
    tagOf(imageOf(container)),
  ]),
  perContainer("command", `Command, joined by blanks, ${of}.`, joined("command")),
  perContainer("args", `Arguments, joined by blanks, ${of}.`, joined("args")),
  perContainer(
    "privileged",
    `Whether privileged, true or false, ${of}.`,
    one(["securityContext", "privileged"], "false"),
  ),
  perContainer(
    "read_only_fs",
    `Whether the root file system is read-only ${of}.`,
    one(["securityContext", "readOnlyRootFilesystem"], "false"),
  ),
  perContainer(
    "eff_run_as_user",
    `User id, the pod's where the container sets none, else 0, ${of}.`,
    effective("runAsUser", "0"),
  ),
  perContainer(
    "eff_run_as_group",
    `Group id, the pod's where the container sets none, else 0, ${of}.`,
    effective("runAsGroup", "0"),
  ),
  perContainer(
    "eff_run_as_non_root",
    `Whether root is refused, by the container or else the pod, ${of}.`,
    effective("runAsNonRoot", "false"),
  ),
  perContainer("add_capabilities", `Added capabilities, one by one, ${of}.`, ({ node }) => {
    const added = nodeAt(node, ["securityContext", "capabilities", "add"]);
    return added ? elements(added).map(textOf) : [];
  }),
  perContainer("host_port", `Host ports ${of}.`, ({ node }) => {
    const ports = node.get("ports");
    const numbers = ports ? elements(ports).map((port) => port.get("hostPort")) : [];
    return numbers.flatMap((port) => (port === undefined || textOf(port) === "0" ? [] : [textOf(port)]));
  }),
  flag("hostNetwork", "Whether a Pod or a workload's template uses the host's network, true or false."),
  flag("hostPID", "Whether a Pod or a workload's template uses the host's process ids, true or false."),
  flag("hostIPC", "Whether a Pod or a workload's template uses the host's IPC, true or false."),
  perVolume("hostpath", "Host paths of the volumes of a Pod or a workload's template.", (volume) => {
    const path = nodeAt(volume, ["hostPath", "path"]);
    return path ? [textOf(path)] : [];
  }),
  perVolume("type", "Types of the volumes of a Pod or a workload's template.", (volume) =>
    volume.kind === "object" ? volume.keys().filter((key) => key !== "name") : [],
  ),
];
