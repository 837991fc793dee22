import type { JsonNode } from "../../json/node.ts";
import { elements } from "../body/steps.ts";
import {
  arrayIn,
  cutAtNul,
  indexed,
  type KaField,
  keyed,
  listOf,
  pathIn,
  requested,
  type Shown,
  solid,
  text,
  textOf,
  walkIn,
} from "./build.ts";
import { bareRepository } from "./containers.ts";

const volumes = (shown: Shown, name: string, about: string, ...keys: readonly string[]): KaField =>
  indexed(`${shown.prefix}.pod.volumes.${name}`, shown.about(about), (root, index) => {
    const found = walkIn(shown, root, ["spec", "volumes", ...keys], index);
    return found && listOf(solid(found).map(textOf));
  });

const image = ["spec", "containers", "image"];
const security = ["spec", "securityContext"];

/** What a Pod asks for as a whole, and its volumes. */
export const podFields = (shown: Shown): readonly KaField[] => [
  pathIn(shown, "pod.host_ipc", "The hostIPC flag, if set.", "spec", "hostIPC"),
  pathIn(shown, "pod.host_network", "The hostNetwork flag, if set.", "spec", "hostNetwork"),
  pathIn(shown, "pod.host_pid", "The hostPID flag, if set.", "spec", "hostPID"),
  pathIn(shown, "pod.run_as_user", "User id of the pod's security context.", ...security, "runAsUser"),
  pathIn(shown, "pod.run_as_group", "Group id of the pod's security context.", ...security, "runAsGroup"),
  pathIn(shown, "pod.fs_group", "The fsGroup of the pod's security context.", ...security, "fsGroup"),
  arrayIn(
    shown,
    "pod.supplemental_groups",
    "Supplemental groups of the pod's security context.",
    ...security,
    "supplementalGroups",
  ),
  volumes(shown, "hostpath", "Host paths of the volumes that have one.", "hostPath", "path"),
  volumes(shown, "flexvolume_driver", "Drivers of the flex volumes.", "flexVolume", "driver"),
  indexed(`${shown.prefix}.pod.volumes.volume_type`, shown.about("Types of the volumes."), (root, index) => {
    const found = walkIn(shown, root, ["spec", "volumes"], index);
    if (!found) return undefined;
    return listOf(
      solid(found)
        .flatMap((node) => chosen(node, index))
        .flatMap(typesOf),
    );
  }),
];

const firstImage = (root: JsonNode): string | undefined => {
  const first = walkIn(requested, root, image, 0)?.[0];
  return first ? textOf(first) : undefined;
};

/** Names of the first generation, kept for rules that use them. */
export const deprecatedPodFields: readonly KaField[] = [
  text("ka.req.container.image", "Deprecated: image of the first container.", firstImage),
  text("ka.req.container.image.repository", "Deprecated: image of the first container without tag.", (root) => {
    const first = firstImage(root);
    return first === undefined ? undefined : bareRepository(first);
  }),
  pathIn(requested, "container.host_network", "Deprecated: same as ka.req.pod.host_network.", "spec", "hostNetwork"),
  text("ka.req.container.privileged", "Deprecated: true if any container is privileged, else false.", (root) => {
    const found = walkIn(requested, root, ["spec", "containers", "securityContext", "privileged"]);
    return found && String(found.some((node) => node?.kind === "true"));
  }),
  keyed(
    "ka.req.volume.hostpath",
    "Deprecated: true if a volume has this host path; a last * matches any rest.",
    (key) => {
      const matches = key.endsWith("*")
        ? (found: string) => found.startsWith(key.slice(0, -1))
        : (found: string) => found === key;
      return (root) => {
        const found = walkIn(requested, root, ["spec", "volumes", "hostPath", "path"]);
        return found && String(solid(found).some((node) => matches(textOf(node))));
      };
    },
  ),
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
