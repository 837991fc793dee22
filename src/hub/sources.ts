import type { HubConfig } from "../config/types.ts";
import type { OpenSource } from "../sdk/source.ts";
import { openConfiguredLeases } from "./queue.ts";
import { type SourceParts, sourceHost } from "./source-host.ts";

/**
 * Opens every configured source; when one cannot open, those before it are closed again and the error goes on. What comes
 * back closes all of them, then what they shared.
 */
export const openSources = async (
  config: HubConfig,
  parts: Omit<SourceParts, "leases"> & { readonly uuid: () => string },
): Promise<{ close(): Promise<void> }> => {
  const leases = await openConfiguredLeases(config, parts);
  const open: OpenSource[] = [];
  const close = async (): Promise<void> => {
    for (const closed of await Promise.allSettled(open.map((source) => source.close())))
      if (closed.status === "rejected") parts.log.error({ err: closed.reason }, "a source failed to close");
    await leases.close();
  };
  try {
    for (const instance of config.sources)
      open.push(await instance.source.open(instance.config, sourceHost(instance, config, { ...parts, leases })));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
};
