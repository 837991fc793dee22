import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import type { BodyOutcome } from "../../../src/pipeline/intake.ts";
import { parseReply, post, readAll, request, start } from "./support.ts";

const accepted: BodyOutcome = { accepted: 1, rejected: [] };
const okay = (length = 2) => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

/** An intake that holds every request until `open` is called; `arrived(n)` resolves when n requests wait. */
const dam = () => {
  const waiting: (() => void)[] = [];
  const watchers: { n: number; tell: () => void }[] = [];
  return {
    take: () =>
      new Promise<BodyOutcome>((resolve) => {
        waiting.push(() => resolve(accepted));
        for (const w of watchers) if (waiting.length >= w.n) w.tell();
      }),
    arrived: (n: number) =>
      waiting.length >= n ? Promise.resolve() : new Promise<void>((tell) => watchers.push({ n, tell })),
    open: () => {
      for (const go of waiting.splice(0)) go();
    },
  };
};

/** A kept-alive connection that can be asked again and again. */
const keepAlive = async (port: number) => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return {
    socket,
    send: (text: string) => socket.write(text),
    reply: async () => parseReply(String((await once(socket, "data"))[0])),
    ended: once(socket, "close"),
  };
};

test("a connection is kept for the next request", async (t) => {
  const { port, taken } = await start(t);
  const c = await keepAlive(port);
  for (let i = 0; i < 3; i++) {
    c.send(`${okay()}{}`);
    assert.equal((await c.reply()).status, 200);
  }
  assert.equal(taken.length, 3);
  c.socket.destroy();
});

test("draining takes what still comes, says so in readiness, and ends the connection behind the answer", async (t) => {
  const { port, server, taken } = await start(t);
  const c = await keepAlive(port);
  c.send(`${okay()}{}`);
  assert.equal((await c.reply()).headers.Connection, "keep-alive");
  server.drain();
  c.send(`${okay()}{}`);
  const reply = await c.reply();
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.Connection, "close");
  await c.ended;
  assert.equal(taken.length, 2);
});

test("closing answers the request at work, refuses a new one on an open connection with 503, then ends", async (t) => {
  const gate = dam();
  const { port, server } = await start(t, {}, { take: gate.take });
  const working = await keepAlive(port);
  const late = await keepAlive(port);
  working.send(`${okay()}{}`);
  late.send(okay());
  await gate.arrived(1);
  late.send("{}");
  await gate.arrived(2);
  const third = await keepAlive(port);
  third.send("POST / HTTP/1.1\r\nHost: x\r\n");
  // The server has seen the half request before it stops listening.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = server.close(10_000);
  third.send("Content-Length: 2\r\n\r\n{}");
  const refused = await third.reply();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.Connection, "close");
  assert.equal(refused.headers["Retry-After"], "5");
  assert.deepEqual(JSON.parse(refused.body), { error: "shutting down" });
  gate.open();
  for (const c of [working, late]) {
    const reply = await c.reply();
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.Connection, "close");
  }
  await closed;
});

test("a request that outlives the deadline is cut, so that closing ends", async (t) => {
  const gate = dam();
  const { port, server } = await start(t, {}, { take: gate.take });
  const c = await keepAlive(port);
  c.send(`${okay()}{}`);
  await gate.arrived(1);
  await server.close(20);
  await c.ended;
});

test("idle and silent connections do not hold up closing until its deadline", { timeout: 30_000 }, async (t) => {
  const { port, server } = await start(t);
  const idle = await keepAlive(port);
  idle.send(`${okay()}{}`);
  await idle.reply();
  const silent = await keepAlive(port);
  await server.close(600_000);
  await Promise.all([idle.ended, silent.ended]);
});

test("beyond the requests at work a POST is told to come back, health still answers, and room comes back", async (t) => {
  const gate = dam();
  const { port, sample } = await start(t, {}, { take: gate.take, maxRequests: 2 });
  const first = [post(port, "{}"), post(port, "{}")];
  await gate.arrived(2);
  const refused = await post(port, "{}");
  assert.equal(refused.status, 503);
  assert.equal(refused.headers["Retry-After"], "5");
  assert.equal((await post(port, "", [], "/test")).status, 503);
  assert.equal((await request(port, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).status, 200);
  gate.open();
  assert.deepEqual(
    (await Promise.all(first)).map((r) => r.status),
    [200, 200],
  );
  const again = post(port, "{}");
  await gate.arrived(1);
  gate.open();
  assert.equal((await again).status, 200);
  assert.equal(await sample('eyrie_intake_rejected_total{source="requests",reason="overloaded"}'), 2);
});

test("bodies in memory are bounded together: one too many is refused, and the bytes come back", async (t) => {
  const gate = dam();
  const limits = { maxbodybytes: 1000, maxinflightbytes: 1000 };
  const { port, server } = await start(t, { limits }, { take: gate.take });
  const body = "x".repeat(600);
  const first = post(port, body);
  await gate.arrived(1);
  assert.equal(server.inflightBytes(), 600);
  assert.equal((await post(port, body)).status, 503);
  // One that does not say its length is found out on the way.
  const chunked = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n${body}\r\n`;
  assert.equal((await request(port, chunked)).status, 503);
  gate.open();
  assert.equal((await first).status, 200);
  assert.equal(server.inflightBytes(), 0);
  const next = post(port, body);
  await gate.arrived(1);
  gate.open();
  assert.equal((await next).status, 200);
});

test("a sender that goes away in the middle of a body leaves nothing behind", async (t) => {
  const { port, server, taken, sample } = await start(t);
  const c = await keepAlive(port);
  c.send(`${okay(1000)}half`);
  while (server.inflightBytes() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  c.socket.destroy();
  while (server.inflightBytes() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(taken.length, 0);
  assert.equal(await sample('eyrie_intake_rejected_total{source="requests",reason="aborted"}'), 1);
});

test("headers, bodies and first bytes that do not come in time end the connection, others are served meanwhile", async (t) => {
  const { port, taken } = await start(t, { limits: { requesttimeout: 200 } });
  const ends = async (text: string) => {
    const socket = connect(port, "127.0.0.1");
    if (text) socket.write(text);
    return readAll(socket);
  };
  const slow = Promise.all([ends("POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "), ends(`${okay(100)}{`), ends("")]);
  assert.equal((await post(port, "{}")).status, 200);
  const [headers, body] = await slow;
  assert.equal(parseReply(headers).status, 408);
  assert.equal(parseReply(body).status, 408);
  assert.equal(taken.length, 1);
});

test("a source's own listener has the same body reader and refusals, and counts under its own name", async (t) => {
  const { server, sample } = await start(t);
  const seen: string[] = [];
  const listener = await server.listenForSource("audit")(
    { host: "127.0.0.1", port: 0, maxBodyBytes: 10 },
    async (r) => {
      seen.push(`${r.method} ${r.path} ${r.headers.host} ${r.body} ${r.remote}`);
      return { status: r.method === "POST" ? 200 : 405, headers: { "X-A": "b" }, body: "" };
    },
  );
  t.after(() => listener.close());
  const reply = await post(listener.port, "0123456789", [], "/k8s-audit?timeout=30s");
  assert.equal(reply.status, 200);
  assert.equal(reply.headers["X-A"], "b");
  assert.deepEqual(seen, ["POST /k8s-audit x 0123456789 127.0.0.1"]);
  assert.equal((await post(listener.port, "0123456789a")).status, 413);
  assert.equal((await request(listener.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).status, 405);
  assert.equal(await sample('eyrie_intake_rejected_total{source="audit",reason="too_large"}'), 1);
  assert.equal(await sample('eyrie_intake_bytes_total{source="audit"}'), 10);
});
