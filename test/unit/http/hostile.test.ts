import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { type AlertSettings, decodeAlerts } from "../../../src/pipeline/alert-in.ts";
import type { Alert } from "../../../src/sdk/alert.ts";
import { until } from "../../support/until.ts";
import { parseReply, post, readAll, request, sendRaw, start } from "./support.ts";

const settings: AlertSettings = {
  customfields: [],
  customtags: [],
  templatedfields: [],
  bracketreplacer: "",
  outputfieldformat: "",
  uuid: randomUUID,
};

const good = (over: Record<string, unknown> = {}): string =>
  JSON.stringify({
    rule: "r",
    priority: "Warning",
    time: "2025-01-15T10:20:30Z",
    output: "o",
    output_fields: { a: "b" },
    ...over,
  });

const startReal = async (t: Parameters<typeof start>[0], limits = {}) => {
  const alerts: Alert[] = [];
  const started = await start(
    t,
    { limits },
    {
      take: async (text) => {
        const decoded = decodeAlerts(text, settings);
        alerts.push(...decoded.alerts);
        return { accepted: decoded.alerts.length, rejected: decoded.rejected };
      },
    },
  );
  const alive = async () => {
    const before = alerts.length;
    assert.equal((await post(started.port, good())).status, 200);
    assert.equal(alerts.length, before + 1);
    assert.equal(started.server.inflightBytes(), 0);
  };
  return { ...started, alerts, alive };
};

const errorOf = (body: string): string => JSON.parse(body).error;

test("a body of 100 MB is refused by its length, before it is read", async (t) => {
  const { port, alive } = await startReal(t);
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${100 << 20}\r\n\r\n`);
  const piece = Buffer.alloc(1 << 20, 0x20);
  for (let i = 0; i < 100; i++) socket.write(piece);
  const reply = parseReply(await readAll(socket));
  assert.equal(reply.status, 413);
  assert.equal(reply.headers.Connection, "close");
  assert.match(errorOf(reply.body), /larger than 33554432 bytes/);
  await alive();
});

test("a chunked body of 100 MB is refused at the limit and never held beyond it", async (t) => {
  const { port, server, alive } = await startReal(t);
  const socket = connect(port, "127.0.0.1");
  const answer = readAll(socket);
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const piece = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(1 << 20, 0x20), Buffer.from("\r\n")]);
  let most = 0;
  for (let i = 0; i < 100 && socket.writable; i++) {
    await new Promise((resolve) => socket.write(piece, resolve));
    most = Math.max(most, server.inflightBytes());
  }
  assert.equal(parseReply(await answer).status, 413);
  assert.ok(most <= 32 << 20);
  await alive();
});

const bombs: Record<string, (plain: Buffer) => Buffer> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: (plain) => brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: zstdCompressSync,
};

for (const [encoding, pack] of Object.entries(bombs)) {
  test(`a ${encoding} bomb is stopped at the limit, an honest ${encoding} body is read`, async (t) => {
    const { port, alerts, alive } = await startReal(t, { maxbodybytes: 1 << 20 });
    const bomb = pack(Buffer.alloc(64 << 20));
    assert.ok(bomb.length < 1 << 20);
    const reply = await post(port, bomb, [`Content-Encoding: ${encoding}`]);
    assert.equal(reply.status, 413);
    await alive();
    assert.equal((await post(port, pack(Buffer.from(good())), [`Content-Encoding: ${encoding}`])).status, 200);
    assert.equal(alerts.length, 2);
    const cut = pack(Buffer.from(good())).subarray(0, 20);
    const broken = await post(port, cut, [`Content-Encoding: ${encoding}`]);
    assert.equal(broken.status, 400);
    assert.ok(errorOf(broken.body).length > 0);
    assert.equal((await post(port, good(), [`Content-Encoding: ${encoding}`])).status, 400);
    await alive();
  });
}

test("an encoding that is not understood is 415 and tells which are", async (t) => {
  const { port, alive } = await startReal(t);
  for (const encoding of ["compress", "gzip, gzip", "__proto__", "constructor"]) {
    const reply = await post(port, good(), [`Content-Encoding: ${encoding}`]);
    assert.equal(reply.status, 415, encoding);
    assert.equal(reply.headers["Accept-Encoding"], "gzip, deflate, br, zstd");
  }
  assert.equal((await post(port, good(), ["Content-Encoding: identity"])).status, 200);
  await alive();
});

const deep = 100_000;
for (const [name, body] of Object.entries({
  "arrays nested a hundred thousand deep": good().replace('"b"', `${"[".repeat(deep)}${"]".repeat(deep)}`),
  "objects nested a hundred thousand deep": good().replace('"b"', `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`),
  "a hundred thousand openers that nothing closes": "[".repeat(deep),
  "a number of a million digits": "9".repeat(1_000_000),
  "a string that does not end": `"${"a".repeat(1_000_000)}`,
  "a lone backslash": '{"rule":"\\',
})) {
  test(`${name}: refused with a reason, and the hub goes on`, async (t) => {
    const { port, alive } = await startReal(t);
    const reply = await post(port, body);
    assert.equal(reply.status, 400);
    assert.ok(JSON.parse(reply.body).rejected[0].reason.length > 0);
    await alive();
  });
}

const many = 1_000_001;
for (const [name, body] of Object.entries({
  "a list of a million empty objects": `[${"{},".repeat(many)}{}]`,
  "a million empty objects, one a line": "{}\n".repeat(many),
  "a field that holds a million empty lists": good().replace('"b"', `[${"[],".repeat(many)}[]]`),
  "a million values behind a string that ends in backslashes": `["a\\\\",${"1,".repeat(many)}1]`,
})) {
  test(`${name}: refused before it is parsed, for it would grow twentyfold in memory`, async (t) => {
    const { port, alerts, alive } = await startReal(t);
    const reply = await post(port, body);
    assert.equal(reply.status, 413);
    assert.equal(errorOf(reply.body), "the body holds more than 1000000 values");
    assert.equal(alerts.length, 0);
    await alive();
  });
}

test("two million commas, brackets and quotes inside strings are text, not values", async (t) => {
  const { port, alerts } = await startReal(t);
  const output = ',[{\\"'.repeat(400_000);
  assert.equal((await post(port, good({ output }))).status, 200);
  assert.equal(alerts[0]!.output, output);
});

test("invalid UTF-8 becomes U+FFFD and the alert is kept", async (t) => {
  const { port, alerts } = await startReal(t);
  const bytes = Buffer.from(good({ output: "X" }));
  bytes[bytes.indexOf("X")] = 0xff;
  assert.equal((await post(port, bytes)).status, 200);
  assert.equal(alerts[0]!.output, "\ufffd");
});

test("`__proto__`, `constructor` and duplicate keys pollute nothing", async (t) => {
  const { port, alerts, alive } = await startReal(t);
  const fields = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":1,"a":2}';
  const body = good().replace('{"a":"b"}', fields).replace("{", '{"__proto__":{"rule":"x","polluted":1},');
  assert.equal((await post(port, body)).status, 200);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal(alerts[0]!.rule, "r");
  assert.equal(alerts[0]!.output_fields.a, 2);
  await alive();
});

test("slowloris: a thousand connections that drip leave room for a sound request, and all are ended", async (t) => {
  const { port, alive } = await startReal(t, { requesttimeoutMs: 1000, maxconnections: 2000 });
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
