import assert from "node:assert/strict";
import { metadataPages } from "../../../src/http/metadata.ts";
import { recordedCache } from "../../support/cluster.ts";
import { start } from "./support.ts";

type After = Parameters<typeof start>[0];

/** A hub's port that knows the recorded cluster. */
export const startMetadata = async (t: After, token = "", graceMs = 0) => {
  const { cache, stream } = recordedCache(graceMs);
  const watches = [
    { collector: "c:45000", node: "node-1", connected: true, synced: true, quietMs: 12_400 },
    { collector: "c:45000", node: "node-2", connected: false, synced: false, fault: "no route (14)" },
  ];
  const resources = [{ resource: "pods", connected: true, synced: true, forbidden: false, quietMs: 3000 }];
  const metadata = { cache, state: () => ({ ...cache.figures(), watches, resources }) };
  const started = await start(t, {}, { families: [metadataPages({ metadata, token: () => token })] });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const reply = await fetch(`${started.url}/api/v1/metadata${path}`, { headers });
    assert.equal(reply.headers.get("cache-control"), "no-store");
    const text = await reply.text();
    return { status: reply.status, text, body: JSON.parse(text) };
  };
  return { ...started, cache, stream, get };
};
