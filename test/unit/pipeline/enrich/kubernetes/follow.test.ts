import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedObjects, refuse } from "../../../../fakes/kube-api.ts";
import { until } from "../../../../support/until.ts";
import { follow, passing, pod } from "./rig.ts";

const named = (cache: { all(): Iterable<{ uid: string }> }) => [...cache.all()].map(({ uid }) => uid).sort();

test("a recorded cluster is known as it is, asked for page by page and with little more than is kept", async (t) => {
  const objects = recordedObjects();
  const { cache, server, synced, drops } = await follow(t, objects, { annotations: ["prometheus.io/scrape"] });
  await synced();
  const kept = objects.filter(({ resource }) => resource !== "nodes").map(({ object }) => object.metadata.uid);
  assert.deepEqual([named(cache), drops], [kept.sort(), []]);
  assert.deepEqual(cache.named("Pod", "meta", "api2-7ddc8dd75-57qjc"), {
    kind: "Pod",
    uid: "8962c1a5-275f-4a55-9f53-5c77a6d1f39a",
    name: "api2-7ddc8dd75-57qjc",
    namespace: "meta",
    labels: Object.assign(Object.create(null), {
      app: "api2",
      "pod-template-hash": "7ddc8dd75",
      "topology.kubernetes.io/zone": "zone-a",
      version: "1",
    }),
    annotations: Object.assign(Object.create(null), { "prometheus.io/scrape": "true" }),
    owner: { kind: "ReplicaSet", uid: "daac9514-3744-4c6e-a970-9595ec20e8a6", name: "api2-7ddc8dd75" },
    pod: {
      ip: "10.244.1.28",
      node: "node-1",
      images: ["httpd:2.4", "envoyproxy/envoy:v1.31.0"],
      containers: cache.podOfContainer("8962c1a5275f")?.pod?.containers ?? [],
    },
  });
  assert.equal(cache.podOfContainer("8962c1a5275f")?.name, "api2-7ddc8dd75-57qjc");
  assert.deepEqual({ ...cache.named("Service", "shop", "web")?.selector }, { app: "web" });
  assert.equal(cache.named("CronJob", "shop", "nightly")?.kind, "CronJob");
  assert.ok(server.asked.every(({ searchParams }) => searchParams.has("limit") || searchParams.has("watch")));
});

test("a list of many pages is read to its end, and its pods are found", async (t) => {
  const pods = Array.from({ length: 1234 }, (_, i) => ({ resource: "pods", object: pod(`p${i}`) }));
  const { cache, server, synced } = await follow(t, pods);
  await synced();
  assert.equal(cache.figures().objects.Pod, 1234);
  assert.equal(server.askedOf("pods", "list").length, 13);
});

test("what comes, changes and goes is followed, and a watch that ended goes on where a bookmark was", async (t) => {
  const { cache, server, clock, watching, stateOf } = await follow(t, [{ resource: "pods", object: pod("a") }]);
  await watching();
  server.put("pods", pod("b"));
  server.put("pods", pod("a", { labels: { team: "x" } }));
  server.remove("pods", "b");
  server.put("pods", pod("c"));
  await until("c is there", () => cache.get("c") !== undefined);
  assert.deepEqual([cache.get("a")?.labels?.team, cache.figures().objects.Pod], ["x", 2]);
  for (const how of ["ended", "dropped"] as const) {
    server.put("services", pod(`s-${how}`));
    server.bookmark();
    await until("the bookmark came", () => stateOf("pods")?.quietMs === 0);
    server.cut(how);
    await until("the watch is over", () => stateOf("pods")?.connected === false);
    server.put("pods", pod(`while-${how}`));
    await passing("it came after all", clock, () => cache.get(`while-${how}`) !== undefined);
    await clock.pass(60_000);
    await watching();
  }
  assert.equal(server.askedOf("pods", "list").length, 1);
  const versions = server
    .askedOf("pods", "watch")
    .map(({ searchParams }) => Number(searchParams.get("resourceVersion")));
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  );
  assert.ok(
    server.askedOf("pods", "watch").every(({ searchParams }) => searchParams.get("allowWatchBookmarks") === "true"),
  );
});

for (const how of ["status", "event"] as const)
  test(`410 as ${how} begins a new list, after which nothing is left of what was deleted meanwhile`, async (t) => {
    const { cache, server, clock, watching, warned } = await follow(t, [
      { resource: "pods", object: pod("stays") },
      { resource: "pods", object: pod("ghost") },
    ]);
    await watching();
    server.cut("ended");
    await until("the watches are over", () => server.watches("pods") === 0);
    server.remove("pods", "ghost");
    server.put("pods", pod("new"));
    server.compact(how);
    await passing("listed anew", clock, () => cache.get("new") !== undefined);
    await passing("watched again", clock, () => server.watches("pods") === 1);
    await clock.pass(61_000);
    cache.figures();
    assert.deepEqual(named(cache), ["new", "stays"]);
    assert.equal(warned(/pods: answered 410 Gone/), 1);
  });

test("a list whose continuation is forgotten half way begins again and loses nothing", async (t) => {
  const pods = Array.from({ length: 250 }, (_, i) => ({ resource: "pods", object: pod(`p${i}`) }));
  let pages = 0;
  const { cache, server, clock, provider } = await follow(t, pods, {
    prepare: (api) => {
      const through = api.instead("pods", (request, response) => {
        // The first page as it is, then everything is forgotten.
        if (++pages === 1) {
          const token = Buffer.from(JSON.stringify({ version: 1, start: 100 })).toString("base64");
          const items = pods.slice(0, 100).map(({ object }) => object);
          response.end(JSON.stringify({ metadata: { resourceVersion: "1", continue: token }, items }));
          api.compact("status");
          through();
        } else request.destroy();
      });
    },
  });
  await passing("all is listed", clock, () => provider.state().every(({ synced }) => synced));
  assert.equal(cache.figures().objects.Pod, 250);
  assert.equal(server.askedOf("pods", "list").length, 1 + 1 + 3);
});

for (const code of [429, 503])
  test(`a server that answers ${code} is left alone for as long as it says`, async (t) => {
    let now = (): number => 0;
    const times: number[] = [];
    const { clock } = await follow(t, [], {
      prepare: (api) =>
        api.instead("pods", (_, response) => {
          times.push(now());
          refuse(response, code, "TooManyRequests", { "retry-after": "30" });
        }),
    });
    now = clock.ticks;
    await passing("four tries", clock, () => times.length >= 4);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.ok(
      gaps.every((gap) => gap >= 30_000),
      String(gaps),
    );
  });

test("a resource that is forbidden is named once and asked for again, and does not stop the others", async (t) => {
  let allow = (): void => {};
  const { cache, server, clock, provider, warned, stateOf, lines } = await follow(
    t,
    [
      { resource: "pods", object: pod("a") },
      { resource: "jobs", object: pod("j") },
    ],
    {
      prepare: (api) => {
        allow = api.instead("jobs", (_, response) => refuse(response, 403, "Forbidden"));
      },
    },
  );
  await passing("asked often", clock, () => server.askedOf("jobs", "list").length >= 5);
  assert.deepEqual([cache.get("a")?.name, stateOf("pods")?.synced, stateOf("jobs")?.synced], ["a", true, false]);
  assert.equal(warned(/jobs: answered 403 Forbidden: the service account may not list and watch it/), 1);
  assert.ok(lines.every(({ resource }) => resource === "jobs"));
  await passing("the others are listed", clock, () => provider.synced());
  assert.deepEqual([provider.tells("Job"), provider.tells("Pod")], [false, true]);
  allow();
  await passing("allowed", clock, () => stateOf("jobs")?.synced === true);
  assert.equal(cache.get("j")?.kind, "Job");
  await passing("watched", clock, () => provider.tells("Job"));
});

test("waits grow while nothing works, and something that comes makes them short again", async (t) => {
  const { server, clock, watching, stateOf, cache } = await follow(t);
  await watching();
  const times: number[] = [];
  const end = server.instead("pods", (_, response) => {
    times.push(clock.ticks());
    response.destroy();
  });
  server.cut("dropped");
  await passing("eight tries", clock, () => times.length >= 8);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  assert.ok((gaps.at(-1) ?? 0) >= 4 * (gaps[0] ?? 0), String(gaps));
  end();
  await passing("watched again", clock, () => server.watches("pods") === 1);
  server.put("pods", pod("a"));
  await until("it came", () => cache.get("a") !== undefined);
  server.cut("ended");
  await until("over", () => stateOf("pods")?.connected === false);
  const from = clock.ticks();
  await passing("watched once more", clock, () => server.watches("pods") === 1);
  assert.ok(clock.ticks() - from <= 1000, String(clock.ticks() - from));
});

test("a watch that its server neither ends nor feeds is given up and goes on", async (t) => {
  const { server, clock, watching } = await follow(t);
  await watching();
  const before = server.askedOf("pods", "watch").length;
  const [asked] = server.askedOf("pods", "watch");
  assert.equal(asked?.searchParams.get("timeoutSeconds"), "450");
  await clock.pass(481_000);
  await passing("watched anew", clock, () => server.askedOf("pods", "watch").length > before);
});

for (const how of ["ended", "dropped"] as const)
  test(`a hub that stops while its watches are ${how} stops in peace`, async (t) => {
    const { server, provider, watching, lines } = await follow(t, [{ resource: "pods", object: pod("a") }]);
    await watching();
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    server.put("pods", pod("b"));
    server.cut(how);
    await provider.close();
    assert.deepEqual(lines, []);
  });
