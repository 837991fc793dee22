import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { errorOf, good, startReal } from "./hostile-support.ts";
import { parseReply, post, readAll } from "./support.ts";

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
