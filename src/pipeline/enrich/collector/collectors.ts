import type { CollectorSettings } from "../../../config/types.ts";
import type { MetadataCache } from "../cache.ts";
import { openClient } from "./client.ts";
import { openWatch, type Watch, type WatchParts, type WatchState } from "./watch.ts";

export interface WatchedNode extends WatchState {
  readonly collector: string;
  readonly node: string;
}

/** All collectors, and a Watch for each node at each of them. */
export interface Collectors {
  /** A node to watch at those that have no nodes of their own. */
  add(node: string): void;
  remove(node: string): void;
  state(): readonly WatchedNode[];
  synced(): boolean;
  close(): Promise<void>;
}

export const openCollectors = async (
  collectors: readonly CollectorSettings[],
  cache: Pick<MetadataCache, "open">,
  parts: Omit<WatchParts, "client" | "stream">,
): Promise<Collectors> => {
  const opened = await Promise.all(
    collectors.map(async ({ address, nodes, ca }) => ({
      address,
      nodes,
      client: await openClient(address, ca === undefined ? undefined : Buffer.from(ca)),
      watches: new Map<string, Watch>(),
    })),
  );
  type Opened = (typeof opened)[number];
  const discovering = opened.filter(({ nodes }) => nodes === undefined);
  const closing = new Set<Promise<void>>();
  const begin = ({ client, watches }: Opened, node: string): void => {
    if (!watches.has(node)) watches.set(node, openWatch(node, { ...parts, client, stream: cache.open() }));
  };
  const end = ({ watches }: Opened, node: string): void => {
    const closed = watches.get(node)?.close();
    watches.delete(node);
    if (!closed) return;
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
  };
  for (const one of opened) for (const node of one.nodes ?? []) begin(one, node);
  const watches = () => opened.flatMap((one) => [...one.watches.values()]);
  return {
    add: (node) => {
      for (const one of discovering) begin(one, node);
    },
    remove: (node) => {
      for (const one of discovering) end(one, node);
    },
    state: () =>
      opened.flatMap(({ address, watches }) =>
        [...watches].map(([node, watch]) => ({ collector: address, node, ...watch.state() })),
      ),
    synced: () => watches().every((watch) => watch.state().synced),
    close: async () => {
      await Promise.all([...watches().map((watch) => watch.close()), ...closing]);
      for (const { client } of opened) client.close();
    },
  };
};
