import type { Logger } from "pino";
import type { HubConfig } from "../../config/types.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { type CacheFigures, createCache, type MetadataCache } from "./cache.ts";
import { openClient } from "./collector/client.ts";
import { openWatch, type Watch, type WatchState } from "./collector/watch.ts";
import { createEnrichment, type Enrichment } from "./stage.ts";
import { createView } from "./view.ts";

/** What is known of the cluster, kept up to date. */
export interface Metadata {
  /** What is done with it to events and alerts. */
  readonly enrichment: Enrichment;
  /** For whoever wants to see it. */
  readonly cache: MetadataCache;
  /** How much there is, and how each node at each collector does. */
  state(): CacheFigures & { readonly watches: readonly WatchedNode[] };
  /** Everything has been told once, or was waited for long enough. */
  ready(): boolean;
  close(): Promise<void>;
}

export interface WatchedNode extends WatchState {
  readonly collector: string;
  readonly node: string;
}

export interface MetadataParts {
  readonly log: Logger;
  /** Absent: the system's. */
  readonly clock?: Clock;
  readonly random: () => number;
  readonly counts: MetadataCounts;
}

export interface MetadataCounts {
  /** Something came of a node's stream, it began anew, or what came was left out. */
  metadataHeard(what: "event" | "start" | "drop", why?: string): void;
  /** An event asked for its object: `found`, `unknown`, or `other` where it names none that is kept. */
  metadataLookup(outcome: string): void;
}

/** Undefined: nothing is configured that could know. */
export const openMetadata = async (
  config: Pick<HubConfig, "metadata" | "enrich">,
  parts: MetadataParts,
): Promise<Metadata | undefined> => {
  const { collectors, maxobjects, grace, readywithin } = config.metadata;
  if (collectors.length === 0) return undefined;
  const { clock = systemClock, counts } = parts;
  const log = parts.log.child({ part: "metadata" });
  const cache = createCache({ maxObjects: maxobjects, graceMs: grace, clock: clock.ticks });
  const clients = await Promise.all(
    collectors.map(async ({ address, nodes, ca }) => ({
      address,
      nodes,
      client: await openClient(address, ca === undefined ? undefined : Buffer.from(ca)),
    })),
  );
  const watches = clients.flatMap(({ address, nodes, client }) =>
    nodes.map((node): { collector: string; node: string; watch: Watch } => ({
      collector: address,
      node,
      watch: openWatch(node, {
        client,
        stream: cache.open(),
        log,
        clock,
        random: parts.random,
        heard: (what, why) => counts.metadataHeard(what, why),
      }),
    })),
  );
  const openedAt = clock.ticks();
  return {
    enrichment: createEnrichment((reference) => createView(cache, reference, counts.metadataLookup), config.enrich),
    cache,
    state: () => ({
      ...cache.figures(),
      watches: watches.map(({ collector, node, watch }) => ({ collector, node, ...watch.state() })),
    }),
    ready: () => clock.ticks() - openedAt >= readywithin || watches.every(({ watch }) => watch.state().synced),
    close: async () => {
      await Promise.all(watches.map(({ watch }) => watch.close()));
      for (const { client } of clients) client.close();
    },
  };
};
