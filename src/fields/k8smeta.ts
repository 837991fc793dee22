import type { Field, FieldResult } from "../sdk/catalog.ts";
import type { Known, KubeObject, KubeView, Labels } from "../sdk/kubernetes.ts";

type Read = (view: KubeView, key: string) => FieldResult;

interface Shape {
  readonly name: string;
  readonly about: string;
  readonly list?: true;
  /** Its argument is the name of a label. */
  readonly keyed?: true;
  /** As the seed of the plugin called it, without the prefix. */
  readonly once?: string;
  readonly read: Read;
}

const text = (value: string | undefined): FieldResult => value;
const listOf = (values: readonly string[]): FieldResult => (values.length > 0 ? values : undefined);
const pairs = (labels: Labels | undefined): readonly string[] =>
  Object.entries(labels ?? {}).map(([key, value]) => `${key}:${value}`);
const own = (labels: Labels | undefined, key: string): string | undefined =>
  labels && Object.hasOwn(labels, key) ? labels[key] : undefined;

/** Name, uid and labels of one of the objects that a pod belongs to. */
const family = (
  prefix: string,
  what: string,
  find: (view: KubeView) => Known | undefined,
  name: (view: KubeView) => string | undefined = (view) => find(view)?.object?.name,
): readonly Shape[] => [
  { name: `${prefix}.name`, about: `Name of the ${what}.`, read: (view) => text(name(view)) },
  {
    name: `${prefix}.uid`,
    about: `Uid of the ${what}, also before anything else is known of it.`,
    once: `${prefix}.id`,
    read: (view) => text(find(view)?.uid),
  },
  {
    name: `${prefix}.label`,
    about: `Value of a label of the ${what}.`,
    keyed: true,
    read: (view, key) => text(own(find(view)?.object?.labels, key)),
  },
  {
    name: `${prefix}.labels`,
    about: `Labels of the ${what}, each as key:value.`,
    list: true,
    read: (view) => listOf(pairs(find(view)?.object?.labels)),
  },
];

const known = (object: KubeObject | undefined): Known | undefined => object && { uid: object.uid, object };

const namespaceOf = (view: KubeView): Known | undefined => {
  const there = view.namespace();
  if (there?.object) return known(there.object);
  const uid = view.pod()?.refs?.Namespace?.[0];
  return uid === undefined ? undefined : { uid };
};

const shapes: readonly Shape[] = [
  ...family("pod", "pod", (view) => known(view.pod())),
  { name: "pod.ip", about: "IP address of the pod.", read: (view) => text(view.pod()?.pod?.ip) },
  { name: "pod.node", about: "Node of the pod.", read: (view) => text(view.pod()?.pod?.node) },
  {
    name: "pod.images",
    about: "Images of the pod's containers.",
    list: true,
    read: (view) => listOf(view.pod()?.pod?.images ?? []),
  },
  ...family("ns", "namespace", namespaceOf, (view) => view.namespace()?.name),
  ...family("deployment", "deployment", (view) => view.controller("Deployment")),
  ...family("rs", "replica set", (view) => view.controller("ReplicaSet")),
  ...family("rc", "replication controller", (view) => view.controller("ReplicationController")),
  ...family("ds", "daemon set", (view) => view.controller("DaemonSet")),
  {
    name: "svc.name",
    about: "Names of the services that select the pod.",
    list: true,
    read: (view) => listOf(view.services().flatMap(({ object }) => object?.name ?? [])),
  },
  {
    name: "svc.uid",
    about: "Uids of the services that select the pod.",
    list: true,
    once: "svc.id",
    read: (view) => listOf(view.services().map(({ uid }) => uid)),
  },
  {
    name: "svc.label",
    about: "Values of a label of the services that select the pod.",
    list: true,
    keyed: true,
    read: (view, key) => listOf(view.services().flatMap(({ object }) => own(object?.labels, key) ?? [])),
  },
  {
    name: "svc.labels",
    about: "Labels of the services that select the pod, each as key:value.",
    list: true,
    read: (view) => listOf(view.services().flatMap(({ object }) => pairs(object?.labels))),
  },
  { name: "owner.kind", about: "Kind of the controller above all others.", read: (view) => text(view.owner()?.kind) },
  { name: "owner.name", about: "Name of the controller above all others.", read: (view) => text(view.owner()?.name) },
  {
    name: "annotation",
    about: "Value of an annotation of the pod, of those that are kept.",
    keyed: true,
    read: (view, key) => text(own(view.pod()?.annotations, key)),
  },
  ...family("caller.pod", "pod that made the request", (view) => known(view.caller())),
  {
    name: "caller.ns.name",
    about: "Namespace of the pod that made the request.",
    read: (view) => text(view.caller()?.namespace),
  },
  {
    name: "caller.node",
    about: "Node of the pod that made the request.",
    read: (view) => text(view.caller()?.pod?.node),
  },
];

/** `k8smeta.ns.label[team]`: how it is read; a text: why there is no such field. */
export const fieldOfCluster = (spelled: string): ((view: KubeView) => FieldResult) | string => {
  const [, name = spelled, key] = /^([^[]*)(?:\[(.*)\])?$/s.exec(spelled) ?? [];
  const field = byName.get(name);
  if (!field) return "no such field";
  if (field.arg && key === undefined) return "needs an argument in brackets";
  if (!field.arg && key !== undefined) return "takes no argument";
  return (view) => field.get(view, key);
};

/**
 * `k8smeta.*`, and the names that the first plugin of this kind had for the same (`k8sres.*`, reference: k8smeta §5, §7).
 * `view`: what is known of where an event happened.
 */
export const kubeFields = <E>(view: (event: E) => KubeView | undefined): readonly Field<E>[] =>
  shapes.flatMap((shape) => {
    const get = (event: E, key: string): FieldResult => {
      const there = view(event);
      return there && shape.read(there, key);
    };
    const field = (name: string): Field<E> => ({
      name,
      type: "string",
      list: shape.list ?? false,
      about: shape.about,
      ...(shape.keyed && { arg: { kind: "key", required: true } }),
      get: (event, arg) => get(event, String(arg ?? "")),
    });
    const first = /^(pod|ns|deployment|rs|rc|svc)\.(?!node|images)/.test(shape.name);
    return [field(`k8smeta.${shape.name}`), ...(first ? [field(`k8sres.${shape.once ?? shape.name}`)] : [])];
  });

const byName = new Map(kubeFields<KubeView>((view) => view).map((field) => [field.name, field]));
