import type { Kind, KubeObject, Labels, Owner, PodFacts } from "../../../sdk/kubernetes.ts";
import { labelsOf } from "../labels.ts";

/** An object of the API as far as it is kept; a text: why it is none. `annotations`: names of those that are kept of pods. */
export const readObject = (kind: Kind, item: unknown, annotations: readonly string[]): KubeObject | string => {
  const { metadata, spec, status } = mapOf(item);
  const { uid, name, namespace, labels, ownerReferences, annotations: noted } = mapOf(metadata);
  if (typeof uid !== "string" || uid === "") return "uid";
  if (typeof name !== "string" || name === "") return "meta";
  const [borne, owner] = [labelsOf(labels), ownerOf(ownerReferences)];
  const selector = kind === "Service" ? labelsOf(mapOf(spec).selector) : undefined;
  const kept = kind === "Pod" ? chosen(noted, annotations) : undefined;
  return {
    kind,
    uid,
    name,
    namespace: typeof namespace === "string" ? namespace : "",
    ...(borne && { labels: borne }),
    ...(kept && { annotations: kept }),
    ...(owner && { owner }),
    ...(selector && { selector }),
    ...(kind === "Pod" && { pod: factsOf(mapOf(spec), mapOf(status)) }),
  };
};

/** A value of JSON by its keys; empty where it is no object. */
export const mapOf = (value: unknown): Part => (isPart(value) ? value : nothing);

type Part = Readonly<Record<string, unknown>>;
const isPart = (value: unknown): value is Part => typeof value === "object" && value !== null;
const nothing: Part = Object.freeze({});

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const ownerOf = (references: unknown): Owner | undefined => {
  const { kind, uid, name } = mapOf(listOf(references).find((one) => mapOf(one).controller === true));
  if (typeof kind !== "string" || typeof uid !== "string") return undefined;
  return { kind, uid, ...(typeof name === "string" && { name }) };
};

const chosen = (noted: unknown, wanted: readonly string[]): Labels | undefined => {
  const there = mapOf(noted);
  return labelsOf(Object.fromEntries(wanted.flatMap((key) => (Object.hasOwn(there, key) ? [[key, there[key]]] : []))));
};

const factsOf = (spec: Part, status: Part): PodFacts => {
  const [ip, node] = [status.podIP, spec.nodeName];
  const images = texts(spec, ["initContainers", "containers", "ephemeralContainers"], "image");
  const containers = texts(
    status,
    ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"],
    "containerID",
  ).map((id) => id.replace(/^[^:]*:\/\//, ""));
  return {
    ...(typeof ip === "string" && ip !== "" && { ip }),
    ...(typeof node === "string" && node !== "" && { node }),
    ...(images.length > 0 && { images }),
    ...(containers.length > 0 && { containers }),
  };
};

/** Each once. */
const texts = (part: Part, lists: readonly string[], key: string): readonly string[] => {
  const found = lists.flatMap((list) => listOf(part[list]).map((one) => mapOf(one)[key]));
  return [...new Set(found.filter((one): one is string => typeof one === "string" && one !== ""))];
};
