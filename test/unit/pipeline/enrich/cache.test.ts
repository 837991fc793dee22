import assert from "node:assert/strict";
import { test } from "node:test";
import { createCache } from "../../../../src/pipeline/enrich/cache.ts";
import type { KubeObject } from "../../../../src/sdk/kubernetes.ts";
import { seeded } from "../../../support/random.ts";

const rig = (maxObjects = 1000) => {
  let now = 0;
  const cache = createCache({ maxObjects, graceMs: 1000, clock: () => now });
  const later = (ms: number): void => {
    now += ms;
  };
  return { cache, later };
};

const pod = (uid: string, name = "web", more: Partial<KubeObject> = {}): KubeObject => ({
  kind: "Pod",
  uid,
  name,
  namespace: "shop",
  ...more,
});

test("the newest uid has a re-used name, and a late Delete of the old one does not take it away", () => {
  const { cache, later } = rig();
  const stream = cache.open();
  stream.put(pod("old"));
  stream.put(pod("new"));
  // A late change of the old one does not give it the name back.
  stream.put(pod("old", "web", { labels: { late: "yes" } }));
  assert.equal(cache.named("Pod", "shop", "web")?.uid, "new");
  stream.remove("old");
  assert.equal(cache.get("old")?.uid, "old");
  later(1001);
  cache.figures();
  assert.deepEqual([cache.get("old"), cache.named("Pod", "shop", "web")?.uid], [undefined, "new"]);
});

test("an object that is gone is found for its grace period, and stays when it comes back in it", () => {
  const { cache, later } = rig();
  const stream = cache.open();
  stream.put(pod("a"));
  stream.remove("a");
  later(900);
  assert.equal(cache.named("Pod", "shop", "web")?.uid, "a");
  stream.put(pod("a"));
  later(5000);
  cache.figures();
  assert.equal(cache.get("a")?.uid, "a");
});

test("what two streams tell of lives as long as one of them does", async () => {
  const { cache, later } = rig();
  const [one, two] = [cache.open(), cache.open()];
  for (const stream of [one, two]) stream.put({ kind: "Namespace", uid: "ns", name: "shop", namespace: "" });
  one.remove("ns");
  one.remove("ns");
  later(5000);
  cache.figures();
  assert.equal(cache.named("Namespace", "", "shop")?.uid, "ns");
  await two.close();
  later(1001);
  assert.equal(cache.figures().objects.Namespace, 0);
});

test("a telling that ends takes along what it did not name, and nothing else", async () => {
  const { cache, later } = rig();
  const stream = cache.open();
  for (const uid of ["a", "b", "c"]) stream.put(pod(uid, uid));
  stream.mark();
  stream.put(pod("b", "b"));
  assert.equal(await stream.sweep(), 2);
  later(1001);
  cache.figures();
  assert.deepEqual(
    ["a", "b", "c"].map((uid) => cache.get(uid)?.uid),
    [undefined, "b", undefined],
  );
});

test("beyond its bound the cache refuses and counts, and what it has goes on being changed", () => {
  const { cache } = rig(2);
  const stream = cache.open();
  assert.deepEqual(
    ["a", "b", "c"].map((uid) => stream.put(pod(uid, uid))),
    [true, true, false],
  );
  assert.equal(stream.put(pod("a", "a", { labels: { x: "1" } })), true);
  assert.equal(cache.get("a")?.labels?.x, "1");
  assert.equal(cache.figures().refused, 1);
});

test("a container leads to its pod by its whole id or the first twelve characters", () => {
  const { cache, later } = rig();
  const stream = cache.open();
  const id = "0123456789abcdef0123456789abcdef";
  stream.put(pod("a", "a", { pod: { containers: [id] } }));
  assert.deepEqual(
    [id, id.slice(0, 12), `${id.slice(0, 12)}ffff`].map((one) => cache.podOfContainer(one)?.uid),
    ["a", "a", undefined],
  );
  stream.put(pod("a", "a", { pod: { containers: [] } }));
  later(0);
  assert.equal(cache.podOfContainer(id), undefined);
});

test("services that select are found by their namespace while they do", () => {
  const { cache } = rig();
  const stream = cache.open();
  const service = (selector?: Record<string, string>): KubeObject => ({
    kind: "Service",
    uid: "s",
    name: "s",
    namespace: "shop",
    ...(selector && { selector }),
  });
  stream.put(service({ app: "web" }));
  assert.deepEqual(
    cache.services("shop", { app: "web", tier: "front" }).map((s) => s.uid),
    ["s"],
  );
  stream.put(service());
  assert.deepEqual(cache.services("shop", { app: "web", tier: "front" }), []);
});

test("random tellings of several streams leave exactly what a plain model holds, and no weight behind", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = seeded(seed);
    const { cache, later } = rig();
    const streams = [0, 1, 2].map(() => ({ stream: cache.open(), told: new Map<string, boolean>() }));
    for (let n = 0; n < 2000; n++) {
      const one = streams[Math.floor(random() * 3)];
      const uid = `u${Math.floor(random() * 40)}`;
      if (!one) continue;
      const what = random();
      if (what < 0.5) {
        one.stream.put(pod(uid, uid, { labels: { n: String(n % 7) } }));
        one.told.set(uid, true);
      } else if (what < 0.9) {
        one.stream.remove(uid);
        one.told.delete(uid);
      } else if (what < 0.95) {
        one.stream.mark();
        for (const told of one.told.keys()) one.told.set(told, false);
      } else {
        await one.stream.sweep();
        for (const [told, now] of one.told) if (!now) one.told.delete(told);
      }
    }
    later(1001);
    cache.figures();
    const alive = new Set(streams.flatMap(({ told }) => [...told.keys()]));
    assert.deepEqual([...cache.all()].map(({ uid }) => uid).sort(), [...alive].sort(), `seed ${seed}`);
    for (const { stream } of streams) await stream.close();
    later(1001);
    assert.deepEqual([cache.figures().bytes, cache.figures().objects.Pod], [0, 0]);
  }
});
