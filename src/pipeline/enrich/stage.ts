import { fieldOfCluster } from "../../fields/k8smeta.ts";
import type { Alert, FieldValue } from "../../sdk/alert.ts";
import { compareBytewise } from "../../sdk/bytewise.ts";
import type { FieldResult } from "../../sdk/catalog.ts";
import type { Incoming } from "../../sdk/event.ts";
import { type JsonEvent, openEvent } from "../../sdk/json-event.ts";
import type { KubeLookup, KubeReference, KubeView } from "../../sdk/kubernetes.ts";
import type { AnySource } from "../../sdk/source.ts";
import type { Stages } from "../stages.ts";
import type { WaitFor } from "./wait.ts";

interface AddedFields {
  /** `k8smeta.*`, as `enrich.add` has them. */
  readonly add: readonly string[];
  /** Other names for some of them. */
  readonly as: Readonly<Record<string, string>>;
}

/** What a hub that knows its cluster does to events and alerts. */
export interface Enrichment {
  /** Events are told who knows: what a rule asks is looked up when it asks. */
  readonly enrich: Stages["enrich"];
  /** Posted alerts get what is known of the pod that they name. */
  readonly add: Stages["add"];
  /** The same for alerts of rules; absent: nothing is to be added. */
  readonly added?: (alert: Alert, view: KubeView) => Alert;
}

/** How what is not known yet is waited for. */
export interface Waiting {
  readonly waitFor: WaitFor;
  /** Where an event happened. */
  readonly refers: (event: JsonEvent) => KubeReference | undefined;
}

/** What the kinds of events say of where they happened. */
export const refersIn = (sources: readonly AnySource[]): Waiting["refers"] => {
  const catalogs = new Map(sources.flatMap(({ catalog }) => (catalog ? [[catalog.source, catalog]] : [])));
  return (event) => catalogs.get(event.source)?.refers?.(event);
};

/** `waiting`: absent, nothing waits. */
export const createEnrichment = (lookup: KubeLookup, { add, as }: AddedFields, waiting?: Waiting): Enrichment => {
  const enrich: Stages["enrich"] = [
    {
      name: "enrich",
      run: async (_, events) => {
        const ready = waiting ? await waitedFor(events, waiting) : events;
        return ready.map((event) => ({ ...event, lookup }));
      },
    },
  ];
  const fields = add.flatMap((spelled): [string, (view: KubeView) => FieldResult][] => {
    const read = fieldOfCluster(spelled);
    return typeof read === "string" ? [] : [[as[spelled] ?? spelled, read]];
  });
  if (fields.length === 0) return { enrich, add: [] };
  const added = (alert: Alert, view: KubeView): Alert => {
    const known = fields.flatMap(([name, read]): [string, FieldValue][] => {
      // What a sender or a rule said itself stands.
      const value = Object.hasOwn(alert.output_fields, name) ? undefined : read(view);
      return value === undefined || typeof value === "bigint" ? [] : [[name, value]];
    });
    if (known.length === 0) return alert;
    return Object.freeze({
      ...alert,
      output_fields: withMore(alert.output_fields, known),
      added: Object.freeze([...alert.added, ...known.map(([name]) => name)]),
    });
  };
  const addTo = (alert: Alert): Alert => {
    const reference = refersTo(alert);
    return reference ? added(alert, lookup(reference)) : alert;
  };
  if (!waiting)
    // It looks at memory alone and waits for nothing.
    return { enrich, add: [{ name: "add", pure: true, run: async (_, alerts) => alerts.map(addTo) }], added };
  const waitAndAdd: Stages["add"][number]["run"] = async (_, alerts) => {
    await waiting.waitFor(alerts.flatMap((alert) => refersTo(alert) ?? []));
    return alerts.map(addTo);
  };
  return { enrich, add: [{ name: "add", run: waitAndAdd }], added };
};

/** The events, when what they name is known or was waited for. */
const waitedFor = async (events: readonly Incoming[], { waitFor, refers }: Waiting): Promise<readonly Incoming[]> => {
  const opened = events.map((event) => openEvent(event, 0, 0));
  await waitFor(opened.flatMap((event) => refers(event) ?? []));
  // Rules need not index them again.
  return events.map((event, i) => {
    const root = opened[i]?.root;
    return root ? { ...event, root } : event;
  });
};

const withMore = (fields: Alert["output_fields"], more: readonly [string, FieldValue][]): Alert["output_fields"] => {
  const entries = [...Object.entries(fields), ...more].sort(([a], [b]) => compareBytewise(a, b));
  return Object.freeze(Object.setPrototypeOf(Object.fromEntries(entries), null));
};

/** Falco's own names for where a system call happened. */
const refersTo = ({ output_fields: fields }: Alert): KubeReference | undefined => {
  const text = (name: string): string | undefined => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [uid, namespace, name] = [text("k8s.pod.uid"), text("k8s.ns.name"), text("k8s.pod.name")];
  const id = text("container.id");
  const container = id === "host" ? undefined : id;
  if (uid === undefined && container === undefined && (namespace === undefined || name === undefined)) return undefined;
  return {
    kind: "Pod",
    ...(uid !== undefined && { uid }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(container !== undefined && { container }),
  };
};
