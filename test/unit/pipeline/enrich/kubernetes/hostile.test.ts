import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readObject } from "../../../../../src/pipeline/enrich/kubernetes/read-object.ts";
import { makeAuthority } from "../../../../fakes/certificates.ts";
import { scratch } from "../../../../support/hub-process.ts";
import { until } from "../../../../support/until.ts";
import { follow, passing, pod } from "./rig.ts";

test("an answer that is no list, or no JSON, is named, and the others go on", async (t) => {
  for (const [text, said] of [
    ["<html>", /pods: what it answered is no JSON/],
    ["[]", /pods: what it answered is no list/],
    ['{"metadata":{"resourceVersion":"1"},"items":{}}', /pods: what it answered is no list/],
    ['{"metadata":{},"items":[]}', /pods: what it answered is no list/],
  ] as const) {
    const { warned, stateOf, clock } = await follow(t, [], {
      prepare: (api) => api.instead("pods", (_, response) => void response.end(text)),
    });
    await until("it is named", () => warned(said) === 1);
    await passing("the others are known", clock, () => stateOf("services")?.synced === true);
    assert.equal(stateOf("pods")?.synced, false);
  }
});

test("a list without end is given up and named", async (t) => {
  const { warned } = await follow(t, [], {
    prepare: (api) =>
      api.instead(
        "pods",
        (_, response) =>
          void response.end(JSON.stringify({ metadata: { resourceVersion: "1", continue: "x" }, items: [] })),
      ),
  });
  await until("it is named", () => warned(/pods: its list has no end/) === 1);
});

test("a page that is too large is not held, and the next list asks for smaller ones", async (t) => {
  const { server, warned, clock, stateOf } = await follow(t, [], {
    prepare: (api) => {
      api.instead("pods", (request, response) => {
        const limit = Number(new URL(request.url ?? "", api.url).searchParams.get("limit"));
        const items = Array.from({ length: Math.min(limit, 50) }, (_, i) => ({
          ...pod(`p${i}`),
          filler: "x".repeat(250_000),
        }));
        response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items }));
      });
    },
  });
  await passing("it fits", clock, () => stateOf("pods")?.synced === true);
  const limits = server.askedOf("pods", "list").map(({ searchParams }) => searchParams.get("limit"));
  assert.deepEqual(limits, ["100", "50", "25"]);
  assert.equal(warned(/pods: a page has more than 8388608 bytes/), 1);
});

test("an endless line of a watch is cut off and named, and everything is listed anew", async (t) => {
  const { server, warned, clock, watching, cache } = await follow(t);
  await watching();
  const text = "x".repeat(1 << 20);
  for (let n = 0; n < 9; n++) server.say("pods", text);
  await until("it is named", () => warned(/pods: a line has more than 8388608 bytes/) === 1);
  server.put("pods", pod("later"));
  await passing("listed anew", clock, () => cache.get("later") !== undefined);
  assert.equal(server.askedOf("pods", "list").length, 2);
});

for (const [line, said] of [
  ["no json\n", /a line of its watch is no JSON/],
  ['{"type":"EXPLODED","object":{"metadata":{"resourceVersion":"5"}}}\n', /a line of its watch is no event/],
  ['{"type":"ADDED","object":{}}\n', /a line of its watch is no event/],
  ['{"type":"__proto__"}\n', /a line of its watch is no event/],
] as const)
  test(`a watch that says ${line.trim()} is begun anew from a list`, async (t) => {
    const { server, warned, clock, watching } = await follow(t);
    await watching();
    server.say("pods", line);
    await until("it is named", () => warned(said) === 1);
    await passing("watched again", clock, () => server.watches("pods") === 1);
    assert.equal(server.askedOf("pods", "list").length, 2);
  });

test("objects that are none, or that there is no room for, are left out and counted, and the others kept", async (t) => {
  const odd = [null, 1, [], {}, { metadata: { uid: "" } }, { metadata: { uid: "x" } }, { metadata: "x" }];
  const { cache, drops, stateOf } = await follow(t, [], {
    maxObjects: 2,
    prepare: (api) => {
      const items = [...odd, pod("a"), pod("b"), pod("c")];
      api.instead(
        "pods",
        (_, response) => void response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items })),
      );
    },
  });
  await until("listed", () => stateOf("pods")?.synced === true);
  assert.deepEqual([cache.get("a")?.uid, cache.get("b")?.uid, cache.get("c")], ["a", "b", undefined]);
  assert.deepEqual(drops.sort(), ["full", "meta", "uid", "uid", "uid", "uid", "uid", "uid"]);
});

test("parts of an object that are not what they should be are absent", () => {
  const metadata = {
    uid: "u",
    name: "n",
    namespace: 3,
    labels: { a: 1, __proto__x: "y" },
    ownerReferences: [null, { controller: true }],
  };
  const spec = { nodeName: {}, containers: { image: "x" }, initContainers: [null, { image: 5 }, { image: "i" }] };
  const status = {
    podIP: 4,
    containerStatuses: [{ containerID: "containerd://abc" }, { containerID: "docker://abd" }, {}],
  };
  assert.deepEqual(readObject("Pod", { metadata, spec, status }, ["a"]), {
    kind: "Pod",
    uid: "u",
    name: "n",
    namespace: "",
    labels: Object.assign(Object.create(null), { __proto__x: "y" }),
    pod: { images: ["i"], containers: ["abc", "abd"] },
  });
  const page = JSON.parse(
    readFileSync(new URL("../../../../golden/kubernetes-api/pods-page.json", import.meta.url), "utf8"),
  );
  const [first] = page.items;
  const read = readObject("Pod", first, []);
  assert.ok(typeof read === "object" && read.owner?.kind === "DaemonSet" && read.pod?.node === "node-2");
});

test("over TLS the token is shown as its file has it now, and a server of another authority is not", async (t) => {
  const { dir, remove } = scratch();
  t.after(remove);
  const [authority, other] = [makeAuthority(), makeAuthority()];
  const [tokenFile, caFile] = [join(dir, "token"), join(dir, "ca.crt")];
  writeFileSync(tokenFile, "first\n");
  writeFileSync(caFile, other.ca);
  const { server, cache, clock, warned, stateOf, lines } = await follow(t, [{ resource: "pods", object: pod("a") }], {
    tls: authority.server(),
    files: { tokenFile, caFile },
    prepare: (api) => {
      api.token = "first";
    },
  });
  await until("the stranger is named", () => warned(/pods: TLS failed/) === 1);
  assert.equal(server.asked.length, 0);
  writeFileSync(caFile, authority.ca);
  await passing("watched", clock, () => stateOf("pods")?.connected === true);
  assert.equal(cache.get("a")?.name, "a");

  server.token = "second";
  server.cut("ended");
  await passing("the old token is refused", clock, () => warned(/pods: answered 401 Unauthorized/) === 1);
  writeFileSync(tokenFile, "second\n");
  await passing("watched again", clock, () => server.watches("pods") === 1);
  assert.equal(server.askedOf("pods", "list").length, 1);
  server.cut("ended");
  rmSync(tokenFile);
  await passing(
    "the missing file is named",
    clock,
    () => warned(/pods: its token file cannot be read \(ENOENT\)/) === 1,
  );
  assert.ok(!JSON.stringify(lines).includes("second"));
});
