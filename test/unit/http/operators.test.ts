import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { createOperatorGuard } from "../../../src/http/operators.ts";
import { startApi } from "./operators-support.ts";
import { request } from "./support.ts";

test("with a token it is asked for on every path, and no sender's token will do", async (t) => {
  const { call, queue } = await startApi(t, { token: "s3cret" });
  const right = { authorization: "Bearer s3cret" };
  for (const headers of [{}, { authorization: "Bearer wrong" }]) {
    assert.equal((await call("lanes", undefined, headers)).status, 401);
    assert.equal((await call("dead-letters", undefined, headers)).status, 401);
    assert.equal((await call("dead-letters/discard", { output: "slack" }, headers)).status, 401);
  }
  assert.equal((await queue.depth("out:slack")).dead, 3);
  assert.equal((await call("lanes", undefined, { ...right, "x-forwarded-for": "192.0.2.7" })).status, 200);
  assert.equal((await call("dead-letters/discard", { output: "slack" }, right)).body.letters, 3);
});

test("without a token only this machine is answered: no proxy's client, no page under a foreign name, no form", async (t) => {
  const { call, port, queue, sample } = await startApi(t);
  assert.equal((await call("lanes", undefined, { "x-forwarded-for": "192.0.2.7" })).status, 403);
  const get = (host: string) =>
    request(port, `GET /api/v1/lanes HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.equal((await get("localhost:2801")).status, 200);
  assert.equal((await get("[::1]:2801")).status, 200);
  assert.equal((await get("rebound.example:2801")).status, 403);
  for (const head of [
    "GET http://rebound.example/api/v1/lanes HTTP/1.1\r\nHost: localhost",
    "GET /api/v1/lanes HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example",
  ])
    assert.match(String((await request(port, `${head}\r\nConnection: close\r\n\r\n`)).status), /40[03]/, head);
  const path = "/api/v1/dead-letters/discard";
  const body = '{"output":"slack"}';
  const form = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`;
  assert.equal((await request(port, form, body)).status, 415);
  assert.equal((await queue.depth("out:slack")).dead, 3);
  assert.equal(await sample('falcosecurity_falcosidekick_inputs_total{source="requests",status="rejected"}'), 0);
});

test("without a token no header by which a proxy tells whom it speaks for is let through", async (t) => {
  const { call } = await startApi(t);
  for (const header of [
    "Forwarded: for=192.0.2.7",
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: hub.example",
    "X-Forwarded-Client-Cert: By=x",
    "x_forwarded_for: 192.0.2.7",
    "X-Original-Forwarded-For: 192.0.2.7",
    "X-Real-IP: 192.0.2.7",
    "Via: 1.1 proxy",
    "X-Envoy-Peer-Metadata: x",
    "X-Envoy-External-Address: 192.0.2.7",
    "CF-Connecting-IP: 192.0.2.7",
    "CF-Ray: 1",
    "True-Client-IP: 192.0.2.7",
    "X-Client-IP: 192.0.2.7",
    "X-Cluster-Client-IP: 192.0.2.7",
    "Fastly-Client-IP: 192.0.2.7",
    "X-Azure-ClientIP: 192.0.2.7",
    "X-Remote-Addr: 192.0.2.7",
    "X-Amzn-Trace-Id: Root=1",
    "X-Request-Id: 1",
    "Proxy-Connection: keep-alive",
    "X-Auth-Request-User: x",
    "Remote-User: x",
    "X-Originating-IP: 192.0.2.7",
    "l5d-client-id: x",
    "X-Nginx-Proxy: true",
    "Tailscale-User-Login: x",
    "X-Of-A-Proxy-That-Nobody-Knows: x",
  ]) {
    const [name = "", value = ""] = header.split(": ");
    assert.equal((await call("lanes", undefined, { [name]: value })).status, 403, header);
  }
  for (const name of ["accept-language", "user-agent", "cookie", "cache-control", "sec-ch-ua", "if-none-match"])
    assert.equal((await call("lanes", undefined, { [name]: "x" })).status, 200, name);
});

test("a page of another site is refused, with a token and without, whatever its browser says of it", async (t) => {
  const discard = { output: "slack" };
  for (const token of ["", "s3cret"]) {
    const { call, queue, url } = await startApi(t, { token });
    const shown: Record<string, string> = token === "" ? {} : { authorization: `Bearer ${token}` };
    for (const header of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `${url}.evil.example` },
      { origin: "http://127.0.0.1:1" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ] as Record<string, string>[]) {
      const headers = { ...shown, ...header };
      assert.equal((await call("dead-letters/discard", discard, headers)).status, 403, JSON.stringify(header));
      assert.equal((await call("dead-letters/redrive", discard, headers)).status, 403);
      assert.equal((await call("lanes", undefined, headers)).status, 403);
    }
    assert.equal((await queue.depth("out:slack")).dead, 3);
    const own = { ...shown, origin: url, "sec-fetch-site": "same-origin" };
    assert.equal((await call("dead-letters/discard", discard, own)).status, 200);
  }
});

test("no spelling of a path leads around what stands before the API", async (t) => {
  const { port, taken } = await startApi(t, { token: "s3cret" });
  const statusOf = async (method: string, path: string): Promise<number> =>
    (await request(port, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)).status;
  // Taken for what it says, and guarded.
  for (const path of ["/api/v1/lanes", "/%61pi/v1/lanes", "/api/v1/dead%2Dletters"])
    assert.equal(await statusOf("GET", path), 401, path);
  // No path of the API: as any path that takes alerts.
  for (const path of [
    "/api%2fv1%2flanes",
    "/api/v1%2Flanes",
    "/api/v1/x/%2e%2e/lanes",
    "/api/%2e/v1/lanes",
    "/api/v1/lanes%00",
    "/api/v1/lanes%0a",
    "/api/v1%5clanes",
    "/api%252fv1%252flanes",
    "/%2561pi/v1/lanes",
    "/api/v1/lanes%ff",
    "/api/v1/lanes%3fx",
    "/api/v1/lanes;x",
  ])
    assert.equal(await statusOf("GET", path), 400, path);
  assert.equal(taken.length, 0);
});

test("a client from elsewhere is refused whatever name it uses", () => {
  const guard = createOperatorGuard(() => "");
  const from = (remoteAddress: string | undefined) => () =>
    guard({ socket: { remoteAddress }, headers: { host: "localhost" } } as IncomingMessage);
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) assert.doesNotThrow(from(address));
  for (const address of [
    "127.0.0.6",
    "127.8.9.1",
    "::ffff:127.0.0.6",
    "192.0.2.7",
    "::ffff:192.0.2.7",
    "2001:db8::1",
    "10.127.0.1",
    undefined,
  ])
    assert.throws(from(address), { status: 403 });
});

test("what the API refuses is counted under its own name and told with its reason, and no sender's metric moves", async (t) => {
  const { call, url, sample, logged } = await startApi(t, { token: "s3cret-of-operators" });
  const right = { authorization: "Bearer s3cret-of-operators" };
  assert.equal((await call("lanes")).status, 401);
  assert.equal((await call("lanes", undefined, { authorization: "Bearer wrong" })).status, 401);
  assert.equal((await call("dead-letters/redrive", undefined, right)).status, 405);
  assert.equal((await call("dead-letters?limit=x", undefined, right)).status, 400);
  assert.equal((await call("dead-letters?output=nowhere", undefined, right)).status, 404);
  assert.equal((await call("dead-letters/redrive", {}, { ...right, "content-type": "text/plain" })).status, 415);
  assert.equal((await call("dead-letters/redrive", { ids: "x".repeat(2 << 20) }, right)).status, 413);
  for (const [reason, times] of Object.entries({
    unauthorized: 2,
    method: 1,
    invalid: 1,
    not_found: 1,
    media_type: 1,
    too_large: 1,
  })) {
    assert.equal(await sample(`eyrie_refusals_total{listener="operators",reason="${reason}"}`), times, reason);
    const told = logged.map((line) => JSON.parse(line)).filter((line) => line.reason === reason);
    assert.equal(told.length, 1, reason);
    assert.deepEqual([told[0].listener, told[0].remote], ["operators", "127.0.0.1"]);
    assert.match(told[0].msg, /^refused: \w+ \S+/);
  }
  assert.equal(await sample('falcosecurity_falcosidekick_inputs_total{source="requests",status="rejected"}'), 0);
  assert.ok(!logged.join().includes("s3cret-of-operators"));
  assert.equal((await fetch(`${url}/test`)).status, 400);
  assert.equal(await sample('eyrie_refusals_total{listener="alerts",reason="method"}'), 1);
});
