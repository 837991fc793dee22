import type { Logger } from "pino";
import type { HubConfig } from "../../config/types.ts";
import { isCollected, type KubeReference } from "../../sdk/kubernetes.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { createCache, type MetadataCache } from "./cache.ts";
import { openCollectors, type WatchedNode } from "./collector/collectors.ts";
import { createHeard } from "./heard.ts";
import { openApi } from "./kubernetes/api.ts";
import { type FollowedResource, followNodes, followObjects, type Provider } from "./kubernetes/provider.ts";
import type { CacheFigures } from "./object-table.ts";
import { createEnrichment, type Enrichment, refersIn } from "./stage.ts";
import { createView, find } from "./view.ts";
import { createWait, namesObject } from "./wait.ts";

/** What is known of the cluster, kept up to date. */
export interface Metadata {
  /** What is done with it to events and alerts. */
  readonly enrichment: Enrichment;
  /** For whoever wants to see it. */
  readonly cache: MetadataCache;
  /** How much there is, and how each node at each collector and each resource of the API does. */
  state(): MetadataState;
  /** Everything has been told once, or was waited for long enough. */
  ready(): boolean;
  close(): Promise<void>;
}

export interface MetadataState extends CacheFigures {
  readonly watches: readonly WatchedNode[];
  readonly resources: readonly FollowedResource[];
}

export interface MetadataParts {
  readonly log: Logger;
  /** Absent: the system's. */
  readonly clock?: Clock;
  readonly random: () => number;
  readonly counts: MetadataCounts;
}

export interface MetadataCounts {
  /** Something came of a node's stream or of the API, a stream began anew, or what came was left out. */
  metadataHeard(what: "event" | "start" | "drop", why?: string): void;
  /** An event asked for its object: and what came of it. */
  metadataLookup(outcome: Outcome): void;
}

/**
 * `unknown`: nobody told of it, `waited`: nor while it was waited for, `not_synced`: not everything has been told yet,
 * `not_told`: nobody tells of its kind, `other`: the event names none that is kept.
 */
export type Outcome = "found" | "unknown" | "waited" | "not_synced" | "not_told" | "other";

/** Undefined: nothing is configured that could know. */
export const openMetadata = async (
  config: Pick<HubConfig, "metadata" | "enrich" | "knownSources">,
  { counts, clock = systemClock, ...given }: MetadataParts,
): Promise<Metadata | undefined> => {
  const { maxobjects, maxbytes, grace, readywithin, wait } = config.metadata;
  if (config.metadata.collectors.length === 0 && !config.metadata.kubernetes) return undefined;
  const cache = createCache({ maxObjects: maxobjects, maxBytes: maxbytes, graceMs: grace, clock: clock.ticks });
  const log = given.log.child({ part: "metadata" });
  const providers = await openProviders(config.metadata, cache, { counts, clock, log, random: given.random });
  const openedAt = clock.ticks();
  const missing = (reference: KubeReference): Outcome => {
    if (!namesObject(reference)) return "other";
    if (!providers.synced(reference.kind)) return "not_synced";
    if (reference.kind && !providers.tells(reference.kind)) return "not_told";
    return wait > 0 ? "waited" : "unknown";
  };
  const lookup = (asked: KubeReference) =>
    createView(cache, asked, (found, reference) => counts.metadataLookup(found ? "found" : missing(reference)));
  const waitFor = createWait({
    cache,
    find: (reference) => find(cache, reference),
    tells: providers.tells,
    waitMs: wait,
    clock,
  });
  const waiting = wait > 0 ? { waitFor, refers: refersIn(config.knownSources) } : undefined;
  return {
    enrichment: createEnrichment(lookup, config.enrich, waiting),
    cache,
    state: () => ({ ...cache.figures(), ...providers.state() }),
    ready: () => clock.ticks() - openedAt >= readywithin || providers.synced(),
    close: providers.close,
  };
};

interface Providers extends Pick<Provider, "synced" | "tells" | "close"> {
  state(): Pick<MetadataState, "watches" | "resources">;
}

const openProviders = async (
  { collectors, kubernetes, annotations }: HubConfig["metadata"],
  cache: MetadataCache,
  { counts, ...rest }: Required<MetadataParts>,
): Promise<Providers> => {
  const parts = { ...rest, heard: createHeard(rest.log, counts.metadataHeard) };
  const told = await openCollectors(collectors, cache, parts);
  let provider: Provider | undefined;
  if (kubernetes) {
    const api = openApi(kubernetes);
    // Collectors tell of all that is on the nodes that they are asked for.
    provider =
      collectors.length > 0
        ? followNodes({ added: told.add, removed: told.remove }, { ...parts, api })
        : followObjects(cache, annotations, { ...parts, api });
  }
  return {
    state: () => ({ watches: told.state(), resources: provider?.state() ?? [] }),
    synced: (kind) => told.synced() && (provider?.synced(kind) ?? true),
    tells: (kind) => (collectors.length > 0 ? isCollected(kind) : (provider?.tells(kind) ?? false)),
    close: async () => {
      await provider?.close();
      await told.close();
    },
  };
};
