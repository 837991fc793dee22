import type { JsonNode } from "../../json/node.ts";
import { bodiesOf } from "./bodies.ts";
import { rememberLatest } from "./latest.ts";
import { elements, valueAt } from "./steps.ts";

/** Where an object of any workload holds its pods: Pod, the workloads of apps and batch, CronJob, PodTemplate. */
export const podSpecPlaces: readonly (readonly string[])[] = [
  ["spec"],
  ["spec", "template", "spec"],
  ["spec", "jobTemplate", "spec", "template", "spec"],
  ["template", "spec"],
];

/** The first keys of these places. */
export const podSpecRoots: readonly string[] = ["spec", "template"];

const kinds = { containers: "container", initContainers: "init", ephemeralContainers: "ephemeral" } as const;
const kindKeys = Object.keys(kinds) as (keyof typeof kinds)[];
/** What tells a pod's spec from others, also where a patch sets no container. */
const flags = ["hostNetwork", "hostPID", "hostIPC"];

/** All that look like a pod's spec in the object after the request, so that none hides behind another. */
export const podSpecsOf = rememberLatest((event: JsonNode): readonly JsonNode[] => {
  const { after } = bodiesOf(event);
  const found: JsonNode[] = [];
  for (const place of podSpecPlaces) {
    const node = valueAt(after, place);
    if (node?.kind === "object" && looksLikePodSpec(node)) found.push(node);
  }
  return found;
});

const looksLikePodSpec = (node: JsonNode): boolean =>
  [...kindKeys, "volumes"].some((key) => node.get(key)?.kind === "array") || flags.some((flag) => node.get(flag));

export interface Container {
  readonly node: JsonNode;
  readonly spec: JsonNode;
  readonly kind: (typeof kinds)[keyof typeof kinds];
}

export const containersOf = rememberLatest((event: JsonNode): readonly Container[] => {
  const found: Container[] = [];
  for (const spec of podSpecsOf(event))
    for (const key of kindKeys)
      for (const node of elements(spec.get(key))) found.push({ node, spec, kind: kinds[key] });
  return found;
});
