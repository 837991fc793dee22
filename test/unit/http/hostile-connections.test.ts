import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { until } from "../../support/until.ts";
import { good, startReal } from "./hostile-support.ts";
import { parseReply, post, readAll, request, sendRaw, start } from "./support.ts";

test("slowloris: a thousand connections that drip leave room for a sound request, and all are ended", async (t) => {
  const { port, alive } = await startReal(t, { requesttimeout: 1000, maxconnections: 2000 });
  const sockets = Array.from({ length: 1000 }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nHost: x\r\n");
    return readAll(socket);
  });
  await alive();
  const replies = await Promise.all(sockets);
  assert.ok(replies.every((text) => text === "" || parseReply(text).status === 408));
});

test("a connection beyond the limit is ended at once, and served when there is room again", async (t) => {
  const { port, alive } = await startReal(t, { maxconnections: 2 });
  const held = Array.from({ length: 2 }, () => connect(port, "127.0.0.1"));
  for (const socket of held) {
    socket.write("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
  }
  assert.equal(await sendRaw(port, "GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "");
  for (const socket of held) {
    socket.end();
    await once(socket, "close");
  }
  await alive();
});

test("garbage pipelined behind a sound request: that one is answered, then the connection ends", async (t) => {
  const { port, alerts, alive } = await startReal(t);
  const body = good();
  const sound = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const text = await sendRaw(port, `${sound}\x00\x01garbage\r\n\r\n${sound}`);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
  assert.equal(alerts.length, 1);
  await alive();
});

test("a hundred pipelined requests are answered in order", async (t) => {
  const { port } = await startReal(t);
  const one = (i: number) => {
    const body = i % 2 ? good() : "x";
    return `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${i === 99 ? "Connection: close\r\n" : ""}\r\n${body}`;
  };
  const text = await sendRaw(port, Array.from({ length: 100 }, (_, i) => one(i)).join(""));
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => Number(m[1]));
  assert.deepEqual(
    statuses,
    Array.from({ length: 100 }, (_, i) => (i % 2 ? 200 : 400)),
  );
});

test("one connection has a hundred requests at work, the next is refused and ends it, and others go on", async (t) => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let inside = 0;
  const { port, sample } = await start(
    t,
    {},
    {
      take: async (text) => {
        inside++;
        if (text.includes("held")) await held;
        return { accepted: 1, rejected: [] };
      },
    },
  );
  const body = good({ rule: "held" });
  const one = (i: number) =>
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${i === 149 ? "Connection: close\r\n" : ""}\r\n${body}`;
  const answers = sendRaw(port, Array.from({ length: 150 }, (_, i) => one(i)).join(""));
  await until(
    "those beyond are refused",
    async () => (await sample('eyrie_refusals_total{listener="alerts",reason="pipelined"}')) === 50,
  );
  assert.equal(inside, 100);
  assert.equal((await post(port, good())).status, 200);
  letGo();
  const statuses = [...(await answers).matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => Number(m[1]));
  // The connection ends behind the first that is refused.
  assert.deepEqual(statuses, [...Array.from({ length: 100 }, () => 200), 503]);
});

const head = "POST / HTTP/1.1\r\nHost: x\r\n";
for (const [name, bytes] of Object.entries({
  "a chunk size that is no number": `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  "a chunk size beyond all bounds": `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}`,
  "both lengths at once": `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "two different lengths": `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`,
  "a negative length": `${head}Content-Length: -1\r\n\r\n{}`,
  "a header without a name": `${head}: x\r\n\r\n`,
  "a NUL in a header": `${head}X: a\0b\r\n\r\n`,
  "a line of nothing but blanks": "   \r\n\r\n",
  "a version nobody speaks": "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
  "bytes of a TLS handshake": "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
  "a CONNECT": "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
  "a target that is no path": "GET nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
})) {
  test(`${name}: a 4xx or the end of the connection, and the hub goes on`, async (t) => {
    const { port, alerts, alive } = await startReal(t);
    const text = await sendRaw(port, bytes);
    if (text !== "") assert.match(text, /^HTTP\/1\.1 4\d\d /);
    assert.equal(alerts.length, 0);
    await alive();
  });
}

test("thousands of random mutations of a sound request never end the server", async (t) => {
  const { port, alive } = await startReal(t);
  const body = good();
  const sound = Buffer.from(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  // A fixed sequence, so that a failure can be repeated.
  let seed = 20_250_115;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % n;
  };
  const one = async () => {
    const bytes = Buffer.from(sound);
    for (let n = 1 + random(4); n > 0; n--) bytes[random(bytes.length)] = random(256);
    const socket = connect(port, "127.0.0.1");
    socket.end(bytes);
    const text = await readAll(socket);
    if (text !== "") assert.ok(parseReply(text).status >= 200, bytes.toString("latin1"));
  };
  for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 50 }, one));
  await alive();
});

test("a header block of 60 KiB passes, one of 70 KiB is 431", async (t) => {
  const { port } = await startReal(t);
  const ask = (n: number) =>
    request(port, `GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${"a".repeat(n)}\r\n\r\n`);
  assert.equal((await ask(60 << 10)).status, 200);
  assert.equal((await ask(70 << 10)).status, 431);
});
