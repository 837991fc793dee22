import { isKind, type KubeObject } from "../../../sdk/kubernetes.ts";
import { labelsOf } from "../labels.ts";
import type { CollectorEvent } from "./client.ts";

/** The object of a Create or an Update; a text: why it is none. Reference: kube §k8s-metacollector. */
export const readObject = ({ uid, kind, meta, status, refs }: CollectorEvent): KubeObject | string => {
  if (!isKind(kind)) return "kind";
  if (uid === "") return "uid";
  const about = parseMap(meta);
  if (!about || typeof about.name !== "string") return "meta";
  const labels = labelsOf(about.labels);
  const ip = parseMap(status)?.podIP;
  return {
    kind,
    uid,
    name: about.name,
    namespace: typeof about.namespace === "string" ? about.namespace : "",
    ...(labels && { labels }),
    ...(kind === "Pod" && { refs: refsOf(refs), pod: { ...(typeof ip === "string" && { ip }) } }),
  };
};

const parseMap = (text: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

const refsOf = (refs: CollectorEvent["refs"]): Readonly<Record<string, readonly string[]>> => {
  const uids: Record<string, readonly string[]> = Object.create(null);
  const told = Object.entries(refs?.resources ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [kind, { list = [] }] of told) uids[kind] = list;
  return uids;
};
