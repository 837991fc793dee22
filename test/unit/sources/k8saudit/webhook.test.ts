import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { parseOpenParams } from "../../../../sources/k8saudit/open-params.ts";
import { answerer } from "../../../../sources/k8saudit/webhook.ts";
import { auditEvent, golden } from "../../audit/support.ts";
import { request } from "./client.ts";
import { type Hub, makeHub, openSource } from "./hub.ts";

/** Where the answer differs on purpose (decisions/audit-intake.md): status, and the events taken. */
const different: Readonly<Record<string, readonly [number, number]>> = {
  "bad json": [400, 0],
  "empty body": [400, 0],
  "not an event": [400, 0],
  "gzip body": [400, 0],
  "panic-ish garbage": [400, 0],
  "jsonl body (two objects)": [200, 2],
  "too large (content-length)": [413, 0],
  "too large (chunked)": [413, 0],
  "max+1": [413, 0],
};

const big = (length: number): string => auditEvent({ x: "a".repeat(length - auditEvent({ x: "" }).length) });

test("every recorded request is answered as recorded, but for the differences listed", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(
    t,
    { listen: "http://127.0.0.1:0/k8s-audit", maxbatchsize: 4096, maxeventsize: 4096 },
    hub,
  );
  for (const line of golden("webhook")) {
    if (line.open_params !== undefined || line.name.startsWith("event over")) continue;
    const before = hub.taken.length;
    const body = line.body ?? big(line.body_len);
    // Each as a first delivery: the same bytes come several times in the recording.
    const fresh =
      line.name.startsWith("too large") || line.status !== 200
        ? body
        : body.replaceAll('"w1"', JSON.stringify(`w-${before}-${line.name}`.slice(0, 40)));
    const sent = line.body_len === 4096 ? body : fresh;
    const reply = await request(port, {
      method: line.method,
      path: line.path,
      headers: line.content_type === "" ? {} : { "content-type": line.content_type },
      body: Buffer.from(sent),
      chunked: line.chunked,
    });
    const [status, events] = different[line.name] ?? [line.status, line.events_emitted];
    assert.equal(reply.status, status, line.name);
    assert.equal(hub.taken.length - before, events, line.name);
    if (line.name in different) continue;
    assert.equal(reply.body, line.resp_body, line.name);
    assert.equal(reply.headers.location, line.resp_headers.Location, line.name);
  }
});

test("every recorded value of open_params is understood or refused as recorded", () => {
  for (const line of golden("webhook")) {
    if (line.open_params === undefined) continue;
    const place = parseOpenParams(line.open_params);
    // The original panics without a path; it means /k8s-audit here.
    const noPath = /^http:\/\/[^/]*$/.test(line.open_params);
    const refused =
      line.open_panic !== undefined || (line.open_error !== undefined && !line.open_error.startsWith("stat /"));
    assert.equal(place.kind === "fault", refused && !noPath, line.open_params);
  }
});

test("an event over the limit is dropped alone and named in the answer", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit", maxeventsize: 1024 }, hub);
  const reply = await request(port, { body: Buffer.from(`[${auditEvent()},${big(2000).replace("id-1", "big")}]`) });
  assert.equal(reply.status, 200);
  assert.deepEqual(JSON.parse(reply.body), {
    accepted: 1,
    dropped: [{ index: 1, reason: "too_large", message: "event larger than 1024 bytes: 1999", auditID: "big" }],
  });
  assert.deepEqual([hub.taken.length, hub.drops], [1, ["too_large"]]);
});

test("what can never be taken is answered with 400 and a JSON reason, too much with 413", async (t) => {
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit", maxbatchsize: 4096 }, makeHub());
  const bad = await request(port, { body: Buffer.from("{nope") });
  assert.equal(bad.status, 400);
  assert.match(JSON.parse(bad.body).error, /^not JSON/);
  const large = await request(port, { body: Buffer.from(big(5000)) });
  assert.equal(large.status, 413);
  assert.equal(typeof JSON.parse(large.body).error, "string");
});

test("gzip is taken, and its limit is that of the plain body", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit", maxbatchsize: 4096 }, hub);
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  assert.equal((await request(port, { headers, body: gzipSync(auditEvent()) })).status, 200);
  assert.equal((await request(port, { headers, body: gzipSync(big(100_000)) })).status, 413);
  assert.equal(hub.taken.length, 1);
});

test("a bearer token is asked for when one is set", async (t) => {
  const hub = makeHub();
  const config = { listen: "http://127.0.0.1:0/k8s-audit", bearertoken: "s3cret", bearertokens: { next: "next" } };
  const { port } = await openSource(t, config, hub);
  const body = Buffer.from(auditEvent());
  const status = async (authorization?: string) =>
    (
      await request(port, {
        body,
        headers: { "content-type": "application/json", ...(authorization && { authorization }) },
      })
    ).status;
  assert.equal(await status(), 401);
  assert.equal(await status("Bearer wrong"), 401);
  assert.equal(await status("Basic s3cret"), 401);
  assert.equal(hub.taken.length, 0);
  assert.equal(await status("Bearer next"), 200);
  assert.equal(await status("bearer s3cret"), 200);
});

test("the events of a listener carry the cluster it stands for", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit", cluster: "prod-eu" }, hub);
  await request(port, { body: Buffer.from(auditEvent()) });
  assert.equal(hub.taken[0]?.cluster, "prod-eu");
});

test("a redelivered body is answered alike and taken once; the same auditID with other content is taken again", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  const body = Buffer.from(auditEvent({ verb: "get" }));
  for (const _ of [1, 2, 3]) assert.equal((await request(port, { body })).status, 200);
  assert.equal(hub.taken.length, 1);
  assert.equal((await request(port, { body: Buffer.from(auditEvent({ verb: "delete" })) })).status, 200);
  assert.equal(hub.taken.length, 2);
});

test("a body is taken anew once the window is over", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit", redeliverywindow: "1m" }, hub);
  const body = Buffer.from(auditEvent());
  await request(port, { body });
  hub.clock.ms += 60_001;
  await request(port, { body });
  assert.equal(hub.taken.length, 2);
});

test("503 with Retry-After while nothing can be stored, and the redelivery is taken", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  const body = Buffer.from(auditEvent());
  hub.refuse = true;
  const reply = await request(port, { body });
  assert.deepEqual([reply.status, reply.headers["retry-after"]], [503, "5"]);
  hub.refuse = false;
  assert.equal((await request(port, { body })).status, 200);
  assert.equal(hub.taken.length, 1);
});

test("a write that takes too long is answered with 503 and counts when the batch comes again", async () => {
  const hub: Hub = makeHub();
  let finish = (): void => {};
  const stored = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let pushes = 0;
  const place = parseOpenParams("http://:0/k8s-audit");
  assert.ok(place.kind === "webhook");
  const answer = answerer(
    {
      place,
      tokens: [],
      cluster: "",
      maxEventBytes: 1e6,
      maxBatchBytes: 1e6,
      redeliveryWindowMs: 60_000,
      answerMs: 10,
    },
    {
      ...hub.host,
      push: () => {
        pushes++;
        return stored;
      },
    },
  );
  const sent = {
    method: "POST",
    path: "/k8s-audit",
    headers: { "content-type": "application/json" },
    body: Buffer.from(auditEvent()),
    remote: "",
  };
  assert.equal((await answer(sent)).status, 503);
  const again = answer(sent);
  finish();
  assert.equal((await again).status, 200);
  assert.equal(pushes, 1);
});

test("a body of ten million empty objects is refused as a whole, in any wrapping", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  const many = "{},".repeat(10_000_000);
  const bodies = [
    `[${many}{}]`,
    `{"kind":"EventList","items":[${many}{}]}`,
    "{}".repeat(10_000_000),
    `[${"[{}],".repeat(2_000_000)}[]]`,
    '{"kind":"Event","x":[1, 2]}'.repeat(2_000_000),
    `[${auditEvent()},${many}{}]`,
  ];
  for (const body of bodies) assert.equal((await request(port, { body: Buffer.from(body) })).status, 413);
  assert.deepEqual([hub.taken.length, hub.drops.length], [0, bodies.length]);
});
