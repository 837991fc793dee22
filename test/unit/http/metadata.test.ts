import assert from "node:assert/strict";
import { test } from "node:test";
import { metadataPages } from "../../../src/http/metadata.ts";
import { steering, steeringText } from "../../support/steering.ts";
import { startMetadata } from "./metadata-support.ts";
import { start } from "./support.ts";

test("the state tells how much is known and how each watch does", async (t) => {
  const { get } = await startMetadata(t);
  const { body } = await get("");
  assert.deepEqual([body.objects.Pod, body.gone, body.refused], [86, 0, 0]);
  assert.deepEqual(body.resources, [
    { resource: "pods", connected: true, synced: true, forbidden: false, quietSeconds: 3 },
  ]);
  assert.deepEqual(body.watches, [
    { collector: "c:45000", node: "node-1", connected: true, synced: true, quietSeconds: 12.4 },
    { collector: "c:45000", node: "node-2", connected: false, synced: false, fault: "no route (14)" },
  ]);
});

test("pages of objects come by kind, namespace and name, each object once, whatever goes meanwhile", async (t) => {
  const { get, cache, stream } = await startMetadata(t);
  const listed: string[] = [];
  let after = "";
  do {
    const { body } = await get(`/objects?limit=7&after=${after}`);
    listed.push(...body.objects.map((o: { uid: string }) => o.uid));
    // What was listed last is gone before the next page is asked for.
    stream.remove(listed.at(-1) ?? "");
    after = body.next ?? "";
  } while (after !== "");
  assert.equal(new Set(listed).size, listed.length);
  const { cache: whole } = await startMetadata(t);
  const names = [...whole.all()].map(({ kind, namespace, name, uid }) => [kind, namespace, name, uid].join("\n"));
  assert.deepEqual(
    listed,
    names.toSorted().map((place) => place.split("\n").at(-1)),
  );
  assert.ok(cache.figures().objects.Pod < 86);
});

test("objects are chosen by kind, namespace and name, and what is gone is marked", async (t) => {
  const { get, stream } = await startMetadata(t, "", 1000);
  const { body } = await get("/objects?kind=Deployment&namespace=shop&name=web");
  assert.deepEqual(
    body.objects.map((o: { kind: string; name: string; namespace: string }) => [o.kind, o.namespace, o.name]),
    [["Deployment", "shop", "web"]],
  );
  assert.equal(body.objects[0].gone, undefined);
  stream.remove(body.objects[0].uid);
  assert.equal((await get("/objects?kind=Deployment&namespace=shop&name=web")).body.objects[0].gone, true);
  assert.deepEqual((await get("/objects?kind=Job")).body, { objects: [] });
  assert.equal((await get("/objects?kind=Service&namespace=")).body.objects.length, 0);
  for (const wrong of ["kind=Gadget", "limit=0", "after=x", "after=WzFd"]) {
    const { status, body } = await get(`/objects?${wrong}`);
    assert.deepEqual([status, typeof body.error], [400, "string"], wrong);
  }
});

test("a pod comes with everything that belongs to it, by name as by uid", async (t) => {
  const { get } = await startMetadata(t);
  const { body } = await get("/pod?namespace=shop&name=web-86ff99898-bfr8q");
  const names = (list: readonly { name: string; kind?: string }[]) => list.map(({ kind = "", name }) => kind + name);
  assert.deepEqual(
    [body.pod.name, body.namespace.name, body.owner, names(body.controllers), names(body.services)],
    [
      "web-86ff99898-bfr8q",
      "shop",
      { kind: "Deployment", name: "web" },
      ["Deploymentweb", "ReplicaSetweb-86ff99898"],
      ["web81", "web", "web-lb"],
    ],
  );
  assert.equal(typeof body.pod.labels.app, "string");
  assert.deepEqual((await get(`/pod?uid=${body.pod.uid}`)).body, body);
  assert.equal((await get("/pod?namespace=shop&name=nobody")).status, 404);
  assert.equal((await get("/pod?name=web")).status, 400);
});

test("what senders call their objects is JSON without a character that steers a terminal", async (t) => {
  const { get, stream } = await startMetadata(t);
  const labels = Object.assign(Object.create(null), { __proto__x: "1", [steeringText]: `"\\${steeringText}\ud800` });
  stream.put({ kind: "Pod", uid: "h", name: `\ud800${steeringText}`, namespace: "hostile", labels });
  const { text, body } = await get("/objects?namespace=hostile&limit=1");
  assert.doesNotMatch(text.trimEnd(), steering);
  assert.deepEqual(body.objects[0].labels, { ...labels });
  assert.doesNotMatch((await get("/pod?uid=h")).text.trimEnd(), steering);
});

test("operators alone are answered, and a hub without a cluster says so", async (t) => {
  const { get } = await startMetadata(t, "s3cret");
  for (const path of ["", "/objects", "/pod?uid=x"]) assert.equal((await get(path)).status, 401);
  assert.equal((await get("", { authorization: "Bearer s3cret" })).status, 200);
  const { url } = await start(t, {}, { families: [metadataPages({ metadata: undefined, token: () => "" })] });
  const reply = await fetch(`${url}/api/v1/metadata`);
  assert.deepEqual([reply.status, /knows nothing/.test(await reply.text())], [404, true]);
  assert.equal((await fetch(`${url}/api/v1/metadata`, { method: "POST" })).status, 405);
});
