import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import type { HubConfig } from "../../../../src/config/types.ts";
import { createCache } from "../../../../src/pipeline/enrich/cache.ts";
import type { CollectorEvent } from "../../../../src/pipeline/enrich/collector/client.ts";
import { openMetadata } from "../../../../src/pipeline/enrich/metadata.ts";
import type { KubeObject } from "../../../../src/sdk/kubernetes.ts";
import { startMetacollector } from "../../../fakes/metacollector.ts";
import { until } from "../../../support/until.ts";

const event = (uid: string, labels: object = {}): CollectorEvent => ({
  reason: "Create",
  uid,
  kind: "Pod",
  meta: JSON.stringify({ name: uid, namespace: "shop", labels }),
  status: "{}",
});

const open = async (
  t: TestContext,
  events: readonly CollectorEvent[],
  bounds: { maxobjects: number; maxbytes: number },
) => {
  const server = await startMetacollector([{ events }]);
  const lines: { msg: string; reason?: string }[] = [];
  const counts = new Map<string, number>();
  const config: Pick<HubConfig, "metadata" | "enrich" | "knownSources"> = {
    metadata: {
      collectors: [{ address: server.address, nodes: ["n"] }],
      annotations: [],
      wait: 0,
      grace: 60_000,
      readywithin: 0,
      ...bounds,
    },
    knownSources: [],
    enrich: { add: [], as: {} },
  };
  const metadata = await openMetadata(config, {
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    random: () => 0.5,
    counts: {
      metadataHeard: (what, why = "") => void counts.set(what + why, (counts.get(what + why) ?? 0) + 1),
      metadataLookup: () => {},
    },
  });
  assert.ok(metadata);
  t.after(async () => {
    await metadata.close();
    server.close();
  });
  const heard = (count: number) => until(`${count} are heard`, () => counts.get("event") === count);
  return { server, metadata, lines, counts, heard };
};

test("beyond metadata.maxobjects new objects are refused, counted and said once, and those that are there go on being changed", async (t) => {
  const events = Array.from({ length: 300 }, (_, n) => event(`u${n}`));
  const { server, metadata, lines, counts, heard } = await open(t, events, { maxobjects: 100, maxbytes: 1 << 30 });
  await heard(300);
  server.say([event("u7", { changed: "yes" })]);
  await heard(301);
  const { objects, refused } = metadata.state();
  assert.deepEqual([objects.Pod, refused, counts.get("dropfull")], [100, 200, 200]);
  assert.equal(metadata.cache.get("u7")?.labels?.changed, "yes");
  const said = lines.filter(({ reason }) => reason === "full");
  assert.deepEqual([said.length, /metadata\.maxobjects/.test(said[0]?.msg ?? "")], [1, true]);
});

test("an object of megabytes is left out as too large, and what is known of it stays", async (t) => {
  const huge = { huge: "x".repeat(1 << 20) };
  const events = [event("a", { app: "web" }), event("a", huge), event("b", huge), event("x".repeat(2000))];
  const { metadata, lines, counts, heard } = await open(t, events, { maxobjects: 100, maxbytes: 1 << 30 });
  await heard(4);
  assert.deepEqual([counts.get("droptoo_large"), metadata.state().tooLarge, metadata.state().refused], [3, 3, 0]);
  assert.deepEqual([metadata.cache.get("a")?.labels?.app, metadata.cache.get("b")], ["web", undefined]);
  assert.equal(lines.filter(({ reason }) => reason === "too_large").length, 1);
});

const pod = (uid: string, labels: Record<string, string>): KubeObject => ({
  kind: "Pod",
  uid,
  name: uid,
  namespace: "shop",
  labels,
});

test("endless new uids with large labels stay within the bytes, and what is gone makes room before its time", () => {
  const maxBytes = 4 << 20;
  const cache = createCache({ maxObjects: 1_000_000, maxBytes, graceMs: 60_000, clock: () => 0 });
  const stream = cache.open();
  const large = (n: number) => ({ [`key-${n}`]: "x".repeat(100_000) });
  for (let n = 0; n < 1000; n++) stream.put(pod(`u${n}`, large(n)));
  const full = cache.figures();
  assert.ok(full.refused > 900 && full.bytes < maxBytes + 110_000);
  // What is there neither grows nor is lost, and may shrink.
  const bytes = cache.figures().bytes;
  assert.equal(stream.put(pod("u0", { big: "x".repeat(200_000) })), false);
  assert.equal(cache.figures().bytes, bytes);
  assert.equal(stream.put(pod("u0", { small: "x" })), true);
  for (let n = 0; n < 1000; n++) {
    stream.remove(n < 40 ? `u${n}` : `v${n - 40}`);
    assert.equal(stream.put(pod(`v${n}`, large(n))), true);
  }
  assert.ok(cache.figures().bytes < maxBytes + 110_000);
});

test("what is told anew is not taken for gone because it has grown too much meanwhile", async () => {
  for (const [maxBytes, grown] of [
    [1000, 2000],
    [1 << 30, 1 << 20],
  ] as const) {
    const cache = createCache({ maxObjects: 10, maxBytes, graceMs: 0, clock: () => 0 });
    const stream = cache.open();
    stream.put(pod("there", { label: "x".repeat(1000) }));
    stream.mark();
    assert.equal(stream.put(pod("there", { label: "x".repeat(grown) })), false);
    assert.equal(await stream.sweep(), 0);
    assert.equal(cache.get("there")?.labels?.label?.length, 1000);
  }
});

test("nothing is left of a cluster that went, label for label", async () => {
  const cache = createCache({ maxObjects: 1_000_000, graceMs: 0, clock: () => 0 });
  const stream = cache.open();
  for (let n = 0; n < 500; n++) {
    stream.put({ ...pod(`u${n}`, { app: `a${n % 9}` }), refs: { Service: [`s${n % 9}`] } });
    stream.put({ ...pod(`u${n}`, { app: `b${n % 5}` }), refs: { Service: [`s${n % 5}`, "t"] } });
  }
  await stream.close();
  assert.deepEqual([cache.figures().bytes, [...cache.all()]], [0, []]);
});
