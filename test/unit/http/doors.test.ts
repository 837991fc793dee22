import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { createBudget } from "../../../src/http/budget.ts";
import { Gathered } from "../../../src/http/gather.ts";
import { makeAuthority } from "../../fakes/certificates.ts";
import { until } from "../../support/until.ts";
import { parseReply, post, readAll, request, sendRaw, start } from "./support.ts";

const slow = async (port: number, sent = "x", path = "/"): Promise<{ socket: Socket; reply: Promise<string> }> => {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const reply = readAll(socket);
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${sent}`);
  return { socket, reply };
};

const ready = async (port: number) => {
  const reply = await request(port, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return { status: reply.status, reasons: (JSON.parse(reply.body) as { reasons: string[] }).reasons };
};

const listenFor = async (t: TestContext, started: Awaited<ReturnType<typeof start>>, name = "audit") => {
  const listener = await started.server.listenForSource(name)(
    { host: "127.0.0.1", port: 0, maxBodyBytes: 1 << 20 },
    async () => ({ status: 200 }),
  );
  t.after(() => listener.close());
  return listener.port;
};

test("what fills one port leaves the others open, and is named while it lasts", async (t) => {
  const started = await start(t, { limits: { maxrequests: 4, maxinflightbytes: 1 << 20 } });
  const auditPort = await listenFor(t, started);
  const held = await Promise.all(Array.from({ length: 4 }, () => slow(auditPort)));
  await until("all places are taken", () => started.server.listeners()[1]?.requests === 4);
  assert.equal((await post(auditPort, "{}")).status, 503);
  assert.equal((await post(started.port, "{}")).status, 200);
  const { status, reasons } = await ready(started.port);
  assert.equal(status, 200, "the port of alerts takes what comes");
  assert.match(reasons.join(), /listener audit is saturated: 4 of 4 requests/);
  assert.deepEqual(
    started.server
      .listeners()
      .map(({ listener, requests, saturated }) => [listener, requests, saturated !== undefined]),
    [
      ["alerts", 0, false],
      ["audit", 4, true],
    ],
  );
  for (const { socket } of held) socket.destroy();
});

test("a full port of alerts is not ready, and says why", async (t) => {
  const { port } = await start(t, { limits: { maxrequests: 1 } });
  const { socket } = await slow(port);
  await wait(20);
  assert.equal((await post(port, "{}")).status, 503);
  const { status, reasons } = await ready(port);
  assert.equal(status, 503);
  assert.match(reasons.join(), /listener alerts is saturated: 1 of 1 requests/);
  socket.destroy();
});

test("when all places are taken the body that has been read for the longest gives way to a new one", async (t) => {
  const { port, sample } = await start(t, { limits: { maxrequests: 3 } });
  const first = await slow(port);
  const others = [await slow(port), await slow(port)];
  await wait(1100);
  assert.equal((await post(port, "{}")).status, 200);
  const refused = parseReply(await first.reply);
  assert.equal(refused.status, 503);
  assert.match(refused.body, /too slowly/);
  assert.equal(await sample('eyrie_refusals_total{listener="alerts",reason="gave_way"}'), 1);
  const { status, reasons } = await ready(port);
  assert.equal(status, 200, "what is sent now is taken");
  assert.match(reasons.join(), /listener alerts is saturated/);
  for (const { socket } of others) socket.destroy();
});

test("when the bytes are spent the slowest bodies give theirs", async (t) => {
  const { port, server } = await start(t, { limits: { maxbodybytes: 100_000, maxinflightbytes: 150_000 } });
  const held = [await slow(port, "x".repeat(40_000)), await slow(port, "x".repeat(40_000))];
  await until("they are held", async () => server.inflightBytes() === 80_000);
  await wait(1100);
  assert.equal((await post(port, "x".repeat(80_000))).status, 200);
  assert.equal(parseReply(await held[0]!.reply).status, 503);
  assert.equal(server.inflightBytes(), 40_000);
  held[1]!.socket.destroy();
});

test("a body that drips has an end over HTTP/1 and over HTTP/2", async (t) => {
  const started = await start(t, { limits: { bodytimeout: 300 } });
  const one = await slow(started.port);
  const drip = setInterval(() => one.socket.write("x"), 50);
  assert.equal(parseReply(await one.reply).status, 408);
  clearInterval(drip);
  const authority = makeAuthority();
  const listener = await started.server.listenForSource("audit")(
    { host: "127.0.0.1", port: 0, maxBodyBytes: 1 << 20, tls: authority.server() },
    async () => ({ status: 200 }),
  );
  t.after(() => listener.close());
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: authority.ca });
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
  stream.on("error", () => {});
  const dripping = setInterval(() => stream.writable && stream.write("x"), 50);
  const [answer] = await once(stream, "response");
  assert.equal(answer[":status"], 408);
  stream.resume();
  await once(stream, "close");
  clearInterval(dripping);
  for (const listening of ["alerts", "audit"])
    assert.equal(await started.sample(`eyrie_refusals_total{listener="${listening}",reason="timeout"}`), 1, listening);
});

test("a body in pieces of one byte: a few are joined, very many are refused", async (t) => {
  const { port, taken } = await start(t);
  const chunked = (text: string) =>
    Array.from(text, (c) => `1\r\n${c}\r\n`)
      .join("")
      .concat("0\r\n\r\n");
  const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  const text = "abcdefghij".repeat(300);
  assert.equal((await request(port, head, chunked(text))).status, 200);
  assert.deepEqual(taken, [text]);
  const reply = await request(port, head, chunked("x".repeat(20_000)));
  assert.equal(reply.status, 400);
  assert.match(reply.body, /too many pieces/);
});

test("pieces of any lengths come out as they went in, and give back what they took", () => {
  const whole = Buffer.from(Array.from({ length: 60_000 }, (_, i) => i % 251));
  for (const step of [1023, 1024, 16_384, 100]) {
    const budget = createBudget(1 << 20);
    const gathered = new Gathered(1 << 20, budget);
    for (let at = 0, n = 1; at < whole.length; at += n, n = (n * 7919) % step || step)
      gathered.add(whole.subarray(at, at + n));
    assert.ok(gathered.join().equals(whole), String(step));
    assert.equal(budget.used(), whole.length);
    gathered.drop();
    assert.equal(budget.used(), 0);
  }
});

test("what grows too much when it is decompressed is refused by name; a larger ratio can be allowed", async (t) => {
  const bomb = gzipSync(Buffer.alloc(4 << 20, 0x20));
  const gzip = ["Content-Encoding: gzip"];
  const strict = await start(t);
  const reply = await post(strict.port, bomb, gzip);
  assert.equal(reply.status, 413);
  assert.match(JSON.parse(reply.body).error, /more than 100 times/);
  assert.equal(await strict.sample('eyrie_refusals_total{listener="alerts",reason="ratio"}'), 1);
  assert.equal(
    (await post(strict.port, gzipSync(Buffer.alloc(1 << 20, 0x20)), gzip)).status,
    200,
    "a mebibyte is free",
  );
  const lenient = await start(t, { limits: { maxcompressionratio: 2000 } });
  assert.equal((await post(lenient.port, bomb, gzip)).status, 200);
});

test("compressed bodies of many members and of a window beyond bounds: the first is read, the second refused", async (t) => {
  const { port, taken, server } = await start(t);
  const members = Buffer.concat([...Array.from({ length: 5000 }, () => gzipSync("")), gzipSync("{}")]);
  assert.equal((await post(port, members, ["Content-Encoding: gzip"])).status, 200);
  assert.deepEqual(taken, ["{}"]);
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 };
  const far = zstdCompressSync(Buffer.alloc(1 << 20, "abc"), { params });
  const streamed = Buffer.from(far);
  // Single-segment frames have a window of their size; this bit says that the window is written out.
  streamed[4] = (streamed[4] ?? 0) & ~0x20;
  assert.equal((await post(port, streamed, ["Content-Encoding: zstd"])).status, 400);
  assert.equal(server.inflightBytes(), 0);
});

test("connections that never ask for anything give way to one that does", async (t) => {
  const { port, sample } = await start(t, { limits: { maxconnections: 20 } });
  const silent = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.on("error", () => {});
      return socket;
    }),
  );
  assert.equal((await post(port, "{}")).status, 200);
  assert.equal(await sample('eyrie_refusals_total{listener="alerts",reason="connections"}'), 1);
  for (const socket of silent) socket.destroy();
});

test("a connection that has asked for something keeps its place, over HTTP/2, too", async (t) => {
  const authority = makeAuthority();
  const { server } = await start(t, { limits: { maxconnections: 1 } });
  const listener = await server.listenForSource("audit")(
    { host: "127.0.0.1", port: 0, maxBodyBytes: 1 << 20, tls: authority.server() },
    async () => ({ status: 200 }),
  );
  t.after(() => listener.close());
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: authority.ca });
  t.after(() => session.destroy());
  const ask = async () => {
    const stream = session.request({ ":method": "POST", ":path": "/" });
    stream.end("{}");
    const [answer] = await once(stream, "response");
    stream.resume();
    return answer[":status"];
  };
  assert.equal(await ask(), 200);
  const late = connect(listener.port, "127.0.0.1");
  late.on("error", () => {});
  await once(late, "close");
  assert.equal(await ask(), 200);
});

test("HTTP/2: resets and pings in floods end the session that sends them, an idle one ends in time, others go on", async (t) => {
  const authority = makeAuthority();
  const started = await start(t, { limits: { requesttimeout: 2000 } });
  const listener = await started.server.listenForSource("audit")(
    { host: "127.0.0.1", port: 0, maxBodyBytes: 1 << 20, tls: authority.server() },
    async () => ({ status: 200 }),
  );
  t.after(() => listener.close());
  const open = () => {
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: authority.ca });
    session.on("error", () => {});
    t.after(() => session.destroy());
    return session;
  };
  const works = async (session: ReturnType<typeof open>) => {
    const stream = session.request({ ":method": "POST", ":path": "/" });
    stream.end("{}");
    const [answer] = await once(stream, "response");
    stream.resume();
    return answer[":status"];
  };
  const sound = open();
  assert.equal(await works(sound), 200);
  const resets = open();
  await once(resets, "connect");
  const connections = () => started.server.listeners()[1]?.connections;
  assert.equal(connections(), 2);
  for (let i = 0; i < 2000; i++) {
    const stream = resets.request({ ":method": "POST", ":path": "/" }, { endStream: false });
    stream.on("error", () => {});
    stream.close(8);
    if (i % 50 === 0) await wait(1);
  }
  await until("the session that floods is ended", () => connections() === 1);
  resets.destroy();
  assert.equal(await started.sample('eyrie_refusals_total{listener="audit",reason="http2"}'), 1);
  assert.equal(await works(sound), 200);
  const pinging = open();
  await once(pinging, "connect");
  const pings = setInterval(() => pinging.destroyed || pinging.ping(() => {}), 100);
  await once(pinging, "close");
  clearInterval(pings);
});

test("a chunked body that announces nothing is counted as it comes", async (t) => {
  const { port, server } = await start(t, { limits: { maxbodybytes: 1000 } });
  const text = await sendRaw(
    port,
    `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${"x".repeat(2000)}\r\n0\r\n\r\n`,
  );
  assert.equal(parseReply(text).status, 413);
  assert.equal(server.inflightBytes(), 0);
});
