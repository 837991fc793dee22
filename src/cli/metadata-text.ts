/** What the hub knows of its cluster, as lines for a terminal. */
import { printable } from "../sdk/printable.ts";

/** An object as the hub shows it. */
export interface Shown {
  readonly kind: string;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly pod?: { readonly ip?: string; readonly node?: string; readonly images?: readonly string[] };
  readonly gone?: boolean;
}

export interface PodAnswer {
  readonly pod: Shown;
  readonly namespace: Related;
  readonly owner?: { readonly kind: string; readonly name?: string };
  readonly controllers: readonly (Related & { readonly kind: string })[];
  readonly services: readonly Related[];
  readonly moreServices?: number;
}

export interface StateAnswer {
  readonly objects: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly gone: number;
  readonly refused: number;
  readonly watches: readonly (Followed & { readonly collector: string; readonly node: string })[];
  /** What the Kubernetes API is asked for. */
  readonly resources: readonly (Followed & { readonly resource: string })[];
}

interface Followed {
  readonly connected: boolean;
  readonly synced: boolean;
  readonly quietSeconds?: number;
  readonly fault?: string;
}

/** A name is absent where only the uid is known. */
interface Related {
  readonly uid?: string;
  readonly name?: string;
  readonly labels?: Labels;
}

type Labels = Readonly<Record<string, string>>;

export const describeState = ({ objects, bytes, gone, refused, watches, resources }: StateAnswer): string => {
  const counts = Object.entries(objects).filter(([, count]) => count > 0);
  return linesOf([
    row("objects", counts.map(([kind, count]) => `${count} ${kind}`).join(", ") || "none"),
    row("memory", `about ${(bytes / 1e6).toFixed(1)} MB`),
    row("gone", `${gone}, still known for a while`),
    ...(refused > 0
      ? [row("refused", `${refused} times there was no room: raise metadata.maxobjects or metadata.maxbytes`)]
      : []),
    ...watches.map(({ collector, node, ...watch }) => row(`${collector} ${node}`, followedText(watch))),
    ...resources.map(({ resource, ...follow }) => row(`API ${resource}`, followedText(follow))),
  ]);
};

const followedText = ({ connected, synced, quietSeconds, fault }: Followed): string =>
  [
    connected ? "connected" : "not connected",
    synced ? "told everything" : "has not told everything yet",
    ...(quietSeconds === undefined ? [] : [`quiet for ${Math.round(quietSeconds)} s`]),
    ...(fault === undefined ? [] : [`last fault: ${fault}`]),
  ].join(", ");

export const describeObject = ({ kind, namespace, name, uid, gone }: Shown): string =>
  linesOf([`${kind}  ${namespace === "" ? name : `${namespace}/${name}`}  ${uid}${gone ? "  gone" : ""}`]);

export const describePod = ({ pod, namespace, owner, controllers, services, moreServices }: PodAnswer): string =>
  linesOf([
    describeObject(pod).trimEnd(),
    ...labelLines(pod.labels),
    ...labelLines(pod.annotations, "annotation"),
    ...known("ip", pod.pod?.ip),
    ...known("node", pod.pod?.node),
    ...(pod.pod?.images ?? []).map((image) => row("image", image)),
    row("namespace", namespace.name ?? ""),
    ...labelLines(namespace.labels),
    ...known("owner", owner && `${owner.kind} ${owner.name ?? "(its name is not known)"}`),
    ...controllers.flatMap((one) => [row(one.kind, nameOf(one)), ...labelLines(one.labels)]),
    ...services.flatMap((one) => [row("Service", nameOf(one)), ...labelLines(one.labels)]),
    ...known("and", moreServices === undefined ? undefined : `${moreServices} more services`),
  ]);

const nameOf = ({ name, uid }: Related): string => name ?? `(only its uid is known: ${uid})`;

const labelLines = (labels: Labels | undefined, what = "label"): readonly string[] =>
  Object.entries(labels ?? {}).map(([key, value]) => row(`  ${what}`, `${key}=${value}`));

const known = (head: string, text: string | undefined): readonly string[] =>
  text === undefined ? [] : [row(head, text)];

const row = (head: string, text: string): string => `${head.padEnd(14)}  ${text}`;

const linesOf = (rows: readonly string[]): string => rows.map((line) => `${printable(line)}\n`).join("");
