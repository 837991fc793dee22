import { bodiesOf, leavesAll, touches } from "../body/bodies.ts";
import { hostPathsOf, pathAndParents } from "../body/host-path.ts";
import { publisherOf, repositoryOf, tagOf } from "../body/image.ts";
import { type Container, containersOf, podSpecPlaces, podSpecRoots, podSpecsOf } from "../body/pod-specs.ts";
import { elements } from "../body/steps.ts";
import { indexed, type KaField, keyed, keyedList, list, listOf, nodeAt, text, textOf } from "./build.ts";

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

const imageOf = (container: Container): string => one(["image"], "")(container)[0] ?? "";

/** A Windows HostProcess container is to its node what a privileged one is. */
const hostProcess = ["windowsOptions", "hostProcess"];

const isPrivileged = ({ node, spec }: Container): string => {
  const context = node.get("securityContext");
  const own = context?.get("privileged");
  const process = nodeAt(context, hostProcess) ?? nodeAt(spec.get("securityContext"), hostProcess);
  if (process?.kind === "true") return "true";
  return own === undefined || own.kind === "null" ? "false" : textOf(own);
};

/** As the kernel names it: container runtimes take any case, with `CAP_` or without. */
const capabilityOf = (written: string): string => written.trim().toUpperCase().replace(/^CAP_/, "");

const flag = (key: string, about: string): KaField =>
  text(`ka.podspec.${key.replace("host", "host_").toLowerCase()}`, about, (root) => {
    const specs = podSpecsOf(root);
    return specs.length === 0 ? undefined : String(specs.some((spec) => spec.get(key)?.kind === "true"));
  });

const of = "of every container of a Pod or of a workload's template, init and ephemeral ones included";

/** Eyrie's own fields: of the object after the request, of every workload and every container, as one would expect it. */
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
    "image.publisher",
    `Who publishes the image, as docker.io/library or registry.k8s.io, ${of}.`,
    (container) => [publisherOf(imageOf(container))],
  ),
  perContainer("privileged", `Whether privileged (or a HostProcess of Windows), true or false, ${of}.`, (container) => [
    isPrivileged(container),
  ]),
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
  perContainer("add_capabilities", `Added capabilities, one by one, in upper case without CAP_, ${of}.`, ({ node }) =>
    elements(nodeAt(node, ["securityContext", "capabilities", "add"])).map((added) => capabilityOf(textOf(added))),
  ),
  perContainer(
    "with_capabilities",
    `Image without tag and digest of those that add capabilities, ${of}.`,
    (container) =>
      elements(nodeAt(container.node, ["securityContext", "capabilities", "add"])).length === 0
        ? []
        : [repositoryOf(imageOf(container))],
  ),
  perContainer("host_port", `Host ports ${of}.`, ({ node }) => {
    const ports = node.get("ports");
    const numbers = ports ? elements(ports).map((port) => port.get("hostPort")) : [];
    return numbers.flatMap((port) => (port === undefined || textOf(port) === "0" ? [] : [textOf(port)]));
  }),
  flag("hostNetwork", "Whether a Pod or a workload's template uses the host's network, true or false."),
  flag("hostPID", "Whether a Pod or a workload's template uses the host's process ids, true or false."),
  flag("hostIPC", "Whether a Pod or a workload's template uses the host's IPC, true or false."),
  keyed(
    "ka.touches.podspec",
    "Whether the request writes this key of a pod's spec (hostNetwork; containers stands for all kinds of them), wherever the object has it; see ka.touches.",
    (key) => {
      const keys = key === "containers" ? ["containers", "initContainers", "ephemeralContainers"] : [key];
      const paths = podSpecPlaces.flatMap((place) => keys.map((last) => [...place, last]));
      return (root) => {
        const bodies = bodiesOf(root);
        // Most patches are of labels and annotations: one look tells.
        if (leavesAll(bodies, podSpecRoots)) return "false";
        return String(paths.some((path) => touches(bodies, path)));
      };
    },
  ),
  text(
    "ka.podspec.service_account",
    "Service account that a Pod or a workload's template runs as; default if it names none.",
    (root) => {
      const [spec] = podSpecsOf(root);
      const named = spec?.get("serviceAccountName") ?? spec?.get("serviceAccount");
      return spec && (named === undefined || textOf(named) === "" ? "default" : textOf(named));
    },
  ),
  indexed(
    "ka.podspec.volumes.hostpath",
    "Host paths, without needless slashes and dots, of the volumes of a Pod, a workload's template or a PersistentVolume.",
    (root, index) => {
      const paths = hostPathsOf(root);
      return listOf(index === undefined ? paths : paths.slice(index, index + 1));
    },
  ),
  list(
    "ka.podspec.volumes.hostpath.tree",
    "Host paths as in ka.podspec.volumes.hostpath, and all folders above each but the root.",
    (root) => listOf(hostPathsOf(root).flatMap(pathAndParents)),
  ),
  keyedList(
    "ka.podspec.volumes.hostpath.under",
    "Host paths that are, or lie under, the path in brackets.",
    (key) => (root) => listOf(hostPathsOf(root).filter((path) => pathAndParents(path).includes(key))),
  ),
  indexed("ka.podspec.volumes.type", "Types of the volumes of a Pod or a workload's template.", (root, index) => {
    const volumes = podSpecsOf(root).flatMap((spec) => elements(spec.get("volumes")));
    const chosen = index === undefined ? volumes : volumes.slice(index, index + 1);
    return listOf(
      chosen.flatMap((volume) => (volume.kind === "object" ? volume.keys().filter((key) => key !== "name") : [])),
    );
  }),
];
