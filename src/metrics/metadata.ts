import type { Families } from "./families.ts";

/** What is known of the cluster, read at a scrape. */
export interface MetadataState {
  readonly objects: Readonly<Record<string, number>>;
  /** An estimate. */
  readonly bytes: number;
  /** How often there was no room for another object. */
  readonly refused: number;
  readonly watches: readonly {
    readonly collector: string;
    readonly node: string;
    readonly connected: boolean;
    readonly synced: boolean;
    /** Milliseconds since something came. */
    readonly quietMs?: number;
  }[];
  /** What the Kubernetes API is asked for. */
  readonly resources: readonly {
    readonly resource: string;
    readonly connected: boolean;
    readonly synced: boolean;
    readonly quietMs?: number;
  }[];
}

export interface MetadataMetrics {
  /** Something came of a collector or the API, a stream of it began, or what came was left out. */
  metadataHeard(what: "event" | "start" | "drop", why?: string): void;
  /** An event asked for its object, and what came of it. */
  metadataLookup(outcome: string): void;
}

export const createMetadataMetrics = ({
  counter,
  gauge,
}: Families): MetadataMetrics & { readonly read: (state: MetadataState) => void } => {
  const events = counter("eyrie_metadata_events_total", "What collectors and the Kubernetes API told.").cell();
  const starts = counter(
    "eyrie_metadata_watch_starts_total",
    "Streams of collectors and the Kubernetes API that began.",
  ).cell();
  const drops = counter("eyrie_metadata_dropped_total", "What they told and was left out.", ["reason"]);
  const lookups = counter("eyrie_metadata_lookups_total", "Objects that events asked for.", ["outcome"]);
  const objects = gauge("eyrie_metadata_objects", "Objects of the cluster that are known.", ["kind"]);
  const bytes = gauge("eyrie_metadata_bytes", "Estimate of the memory that they take.");
  const refused = gauge(
    "eyrie_metadata_refused",
    "How often metadata.maxobjects or metadata.maxbytes left no room for another object.",
  );
  const synced = gauge("eyrie_metadata_synced", "1: everything was told once.", ["collector", "node"]);
  const connected = gauge("eyrie_metadata_connected", "1: the stream is open and something came.", [
    "collector",
    "node",
  ]);
  const age = gauge("eyrie_metadata_quiet_seconds", "Since the stream last told something.", ["collector", "node"]);
  const followed = gauge("eyrie_metadata_resource_synced", "1: the API listed all of it once.", ["resource"]);
  const watched = gauge("eyrie_metadata_resource_connected", "1: a watch at the API is open.", ["resource"]);
  const silence = gauge("eyrie_metadata_resource_quiet_seconds", "Since the API last told something.", ["resource"]);
  return {
    metadataHeard: (what, why = "") => {
      if (what === "event") events.add(1);
      else if (what === "start") starts.add(1);
      else drops.cell(why).add(1);
    },
    metadataLookup: (outcome) => lookups.cell(outcome).add(1),
    read: (state) => {
      for (const [kind, count] of Object.entries(state.objects)) objects.set({ kind }, count);
      bytes.set(state.bytes);
      refused.set(state.refused);
      // Nodes come and go.
      for (const one of [synced, connected, age]) one.reset();
      for (const { collector, node, ...watch } of state.watches) {
        synced.set({ collector, node }, Number(watch.synced));
        connected.set({ collector, node }, Number(watch.connected));
        if (watch.quietMs !== undefined) age.set({ collector, node }, watch.quietMs / 1000);
      }
      for (const { resource, ...follow } of state.resources) {
        followed.set({ resource }, Number(follow.synced));
        watched.set({ resource }, Number(follow.connected));
        if (follow.quietMs !== undefined) silence.set({ resource }, follow.quietMs / 1000);
      }
    },
  };
};
