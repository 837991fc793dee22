import type { JsonNode } from "../../../src/sdk/json-node.ts";
import {
  arrayAt,
  cutAtNul,
  elements,
  indexed,
  type KaField,
  keyed,
  listOf,
  path,
  solid,
  text,
  textOf,
  walk,
} from "./build.ts";
import { bareRepository } from "./containers.ts";

const volumes = (name: string, about: string, ...keys: readonly string[]): KaField =>
  indexed(name, about, (root, index) => {
    const found = walk(root, ["requestObject", "spec", "volumes", ...keys], index);
    return found && listOf(solid(found).map(textOf));
  });

const image = ["requestObject", "spec", "containers", "image"];
const spec = ["requestObject", "spec"];
const security = [...spec, "securityContext"];

/** What a Pod in the request asks for as a whole, its volumes, and the first container's image. */
export const podFields: readonly KaField[] = [
  text("ka.req.container.image", "Deprecated: image of the first container.", (root) => {
    const first = walk(root, image, 0)?.[0];
    return first ? textOf(first) : undefined;
  }),
  text("ka.req.container.image.repository", "Deprecated: image of the first container without tag.", (root) => {
    const first = walk(root, image, 0)?.[0];
    return first ? bareRepository(textOf(first)) : undefined;
  }),
  path("ka.req.pod.host_ipc", "The hostIPC flag, if set.", ...spec, "hostIPC"),
  path("ka.req.pod.host_network", "The hostNetwork flag, if set.", ...spec, "hostNetwork"),
  path("ka.req.container.host_network", "Deprecated: same as ka.req.pod.host_network.", ...spec, "hostNetwork"),
  path("ka.req.pod.host_pid", "The hostPID flag, if set.", ...spec, "hostPID"),
  text("ka.req.container.privileged", "Deprecated: true if any container is privileged, else false.", (root) => {
    const found = walk(root, [...spec, "containers", "securityContext", "privileged"]);
    return found && String(found.some((node) => node?.kind === "true"));
  }),
  path("ka.req.pod.run_as_user", "User id of the pod's security context.", ...security, "runAsUser"),
  path("ka.req.pod.run_as_group", "Group id of the pod's security context.", ...security, "runAsGroup"),
  path("ka.req.pod.fs_group", "The fsGroup of the pod's security context.", ...security, "fsGroup"),
  arrayAt(
    "ka.req.pod.supplemental_groups",
    "Supplemental groups of the pod's security context.",
    ...security,
    "supplementalGroups",
  ),
  volumes("ka.req.pod.volumes.hostpath", "Host paths of the volumes that have one.", "hostPath", "path"),
  keyed(
    "ka.req.volume.hostpath",
    "Deprecated: true if a volume has this host path; a last * matches any rest.",
    (key) => {
      const matches = key.endsWith("*")
        ? (found: string) => found.startsWith(key.slice(0, -1))
        : (found: string) => found === key;
      return (root) => {
        const found = walk(root, [...spec, "volumes", "hostPath", "path"]);
        return found && String(solid(found).some((node) => matches(textOf(node))));
      };
    },
  ),
  volumes("ka.req.pod.volumes.flexvolume_driver", "Drivers of the flex volumes.", "flexVolume", "driver"),
  indexed("ka.req.pod.volumes.volume_type", "Types of the volumes.", (root, index) => {
    const found = walk(root, [...spec, "volumes"], index);
    if (!found) return undefined;
    return listOf(
      solid(found)
        .flatMap((node) => chosen(node, index))
        .flatMap(typesOf),
    );
  }),
];

/** The volumes at an index; without one all, those in arrays inside arrays too. */
const chosen = (node: JsonNode, index: number | undefined): readonly JsonNode[] => {
  if (node.kind !== "array") return [node];
  const all = elements(node);
  return index === undefined ? all.flatMap((inner) => chosen(inner, undefined)) : all.slice(index, index + 1);
};

const typesOf = (volume: JsonNode): readonly string[] =>
  volume.kind === "object"
    ? volume
        .keys()
        .filter((key) => key !== "name")
        .map(cutAtNul)
    : [];
