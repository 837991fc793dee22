import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer as createTcp } from "node:net";
import { test } from "node:test";
import request from "supertest";
import type { Family } from "../../../src/http/app.ts";
import { QueueError } from "../../../src/queue/queue.ts";
import { parseReply, post, readAll, sendRaw, start } from "./support.ts";

test("/readyz tells why an alert sent now would not be kept", async (t) => {
  let reasons: string[] = [];
  const { url, server } = await start(t, {}, { ready: () => ({ ok: reasons.length === 0, reasons }) });
  await request(url).get("/readyz").expect(200, { status: "ok", reasons: [] });
  reasons = ["the queue is not writable"];
  await request(url).get("/readyz").expect(503, { status: "unavailable", reasons });
  await request(url).get("/healthz").expect(200, '{"status": "ok"}');
  reasons = [];
  server.drain();
  await request(url)
    .get("/readyz")
    .expect(503, { status: "unavailable", reasons: ["shutting down"] });
});

test("every method of the parser reaches /ping, and one it does not know too", async (t) => {
  const { url, port } = await start(t);
  for (const method of ["get", "put", "delete", "options", "patch", "propfind", "m-search"] as const) {
    await request(url)[method]("/ping").expect(200, "pong\n");
  }
  const reply = parseReply(await sendRaw(port, "BREW /ping HTTP/1.1\r\nHost: x\r\n\r\n"));
  assert.equal(reply.status, 200);
  assert.equal(reply.body, "pong\n");
});

test("/test posts the Debug alert of the Test rule, whatever the body says", async (t) => {
  const { url, taken } = await start(t);
  await request(url).post("/test").send("garbage").expect(200, "");
  assert.deepEqual(JSON.parse(taken[0]!), {
    output: "This is a test from falcosidekick",
    priority: "Debug",
    hostname: "falcosidekick",
    rule: "Test rule",
    time: "2026-11-21T02:52:59Z",
    output_fields: { "proc.name": "falcosidekick", "user.name": "falcosidekick" },
    tags: ["test", "example"],
  });
});

test("/metrics is compressed for a scraper that asks and plain for one that does not", async (t) => {
  const { url } = await start(t);
  const packed = await request(url).get("/metrics").set("Accept-Encoding", "gzip").expect(200);
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.match(packed.text, /eyrie_build_info/);
  const plain = await request(url).get("/metrics").set("Accept-Encoding", "identity").expect(200);
  assert.equal(plain.headers["content-encoding"], undefined);
  assert.match(plain.text, /eyrie_build_info/);
});

test("accepted and rejected alerts are counted by alert, refused requests by reason", async (t) => {
  let taken = { accepted: 3, rejected: [{ index: 1, reason: "rule is missing" }] };
  const { url, sample } = await start(t, { limits: { maxbodybytes: 10 } }, { take: async () => taken });
  await request(url).post("/").send("123").expect(200, taken);
  taken = { accepted: 0, rejected: [{ index: 0, reason: "x" }] };
  await request(url).post("/").send("1").expect(400);
  await request(url).post("/").send("12345678901").expect(413);
  assert.equal(await sample('falcosecurity_falcosidekick_inputs_total{source="requests",status="accepted"}'), 3);
  assert.equal(await sample('falcosecurity_falcosidekick_inputs_total{source="requests",status="rejected"}'), 3);
  assert.equal(await sample('eyrie_intake_rejected_total{source="requests",reason="invalid"}'), 2);
  assert.equal(await sample('eyrie_intake_rejected_total{source="requests",reason="too_large"}'), 1);
  assert.equal(await sample('eyrie_intake_bytes_total{source="requests"}'), 4);
});

for (const kind of ["full", "unavailable", "corrupt", "closed"] as const) {
  test(`a queue that is ${kind} answers 503 with Retry-After and a reason that quotes nothing`, async (t) => {
    const { url } = await start(t, {}, { take: () => Promise.reject(new QueueError(kind, "redis://user:canary@x")) });
    const reply = await request(url).post("/").send("{}").expect(503);
    assert.equal(reply.headers["retry-after"], "5");
    assert.equal(typeof reply.body.error, "string");
    assert.doesNotMatch(reply.text, /canary/);
  });
}

test("an error nobody foresaw is a 500 that tells nothing, a log line, and the next request works", async (t) => {
  let fail = true;
  const { url, logged } = await start(
    t,
    {},
    {
      take: async () => {
        if (fail) throw new Error("canary");
        return { accepted: 1, rejected: [] };
      },
    },
  );
  await request(url).post("/").send("{}").expect(500, { error: "internal error" });
  await request(url).post("/test").expect(500, { error: "internal error" });
  assert.equal(logged.filter((line) => line.includes("canary")).length, 2);
  fail = false;
  await request(url).post("/").send("{}").expect(200, "");
});

test("a further endpoint family is served, its errors are JSON, and what it does not claim stays with the alerts", async (t) => {
  const api: Family = (router) => {
    router.get("/api/lanes/:lane", (ctx) => {
      ctx.body = { lane: ctx.params.lane };
    });
    router.get("/api/broken", () => {
      throw new Error("canary");
    });
  };
  const { url, taken } = await start(t, {}, { families: [api] });
  await request(url).get("/api/lanes/out").expect(200, { lane: "out" });
  await request(url).post("/api/lanes/out").send("{}").expect(405);
  await request(url).get("/api/broken").expect(500, { error: "internal error" });
  assert.equal(taken.length, 0);
  await request(url).post("/api/other").send("{}").expect(200);
  assert.equal(taken.length, 1);
});

test("percent-encoded and absolute request targets find the same handler", async (t) => {
  const { port } = await start(t);
  for (const target of ["/%70ing", "http://other.example/ping", "/ping?x=//y/.."]) {
    const reply = parseReply(await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    assert.equal(reply.body, "pong\n", target);
  }
});

test("a redirect keeps the query and cannot carry markup", async (t) => {
  const { port } = await start(t);
  const reply = parseReply(await sendRaw(port, `GET //a/./b?q="<x> HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
  assert.equal(reply.status, 307);
  assert.equal(reply.headers.Location, '/a/b?q="<x>');
  assert.equal(reply.body, '<a href="/a/b?q=&#34;&lt;x&gt;">Temporary Redirect</a>.\n\n');
});

test("a client that ends its side after the request still gets the answer", async (t) => {
  const { port } = await start(
    t,
    {},
    {
      take: async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { accepted: 1, rejected: [] };
      },
    },
  );
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  assert.equal(parseReply(await readAll(socket)).status, 200);
});

test("a port that is taken rejects the start", async (t) => {
  const taken = createTcp().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  await assert.rejects(start(t, { listenport: port }), { code: "EADDRINUSE" });
});

test("the address in use is told and an IPv6 one stands in brackets", async (t) => {
  const { url } = await start(t, { listenaddress: "::1" }).catch(() => start(t));
  assert.match(url, /^http:\/\/(\[::1\]|127\.0\.0\.1):\d+$/);
  assert.equal((await post(Number(new URL((await start(t)).url).port), "{}")).status, 200);
});
