/** Estimates of what objects take in memory; bench:enrich compares them with what they do take. */
import type { KubeObject } from "../../sdk/kubernetes.ts";

/** Bytes of an object beside its texts: itself, its entry, its places in the maps. */
const frame = 280;
/** Beyond it an object is not kept: nothing that Kubernetes takes comes near. */
const mostBytes = 256 << 10;
/** Kubernetes has at most 253. */
const longestName = 1024;

/** Without what it shares with others: labels and refs. */
export const weigh = ({ uid, name, namespace, annotations, pod, selector, owner }: KubeObject): number =>
  frame +
  weighText(uid) +
  weighText(name) +
  weighText(namespace) +
  (owner ? 40 + weighText(owner.uid) + weighText(owner.name ?? "") : 0) +
  (annotations ? bytesOf(annotations) : 0) +
  (selector ? bytesOf(selector) : 0) +
  weighText(pod?.ip ?? "") +
  weighText(pod?.node ?? "") +
  weighAll(pod?.images ?? []) +
  weighAll(pod?.containers ?? []);

/** Of a set of texts by key. Keys are shared by all sets that have them. */
export const bytesOf = (set: Readonly<Record<string, string | readonly string[]>>): number => {
  let bytes = 120;
  for (const key of Object.keys(set)) {
    const value = set[key] ?? "";
    bytes += 8 + (typeof value === "string" ? weighText(value) : weighAll(value));
  }
  return bytes;
};

/** `too_large`, or there was no room for another: why the cache did not keep it. */
export const whyRefused = (object: KubeObject): "too_large" | "full" => (isTooLarge(object) ? "too_large" : "full");

export const isTooLarge = (object: KubeObject): boolean =>
  isTooLong(object.uid) || isTooLong(object.name) || isTooLong(object.namespace) || wholeWeight(object) > mostBytes;

/** Nothing that is kept has such a name or uid. */
export const isTooLong = (name = ""): boolean => name.length > longestName;

/** With what it may share with others. */
export const wholeWeight = (object: KubeObject): number =>
  weigh(object) + wholeBytes(object.labels) + wholeBytes(object.refs);

const wholeBytes = (set: KubeObject["labels"] | KubeObject["refs"]): number =>
  set ? bytesOf(set) + weighAll(Object.keys(set)) : 0;

const weighAll = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + 8 + weighText(text), 16);

/** Of one byte a character. */
const weighText = (text: string): number => (text === "" ? 0 : 20 + text.length);
