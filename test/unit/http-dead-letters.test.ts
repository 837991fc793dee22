import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { deadLetters } from "../../src/http/dead-letters.ts";
import { createOperatorGuard } from "../../src/http/operators.ts";
import { createLogger } from "../../src/log/log.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { QueueError } from "../../src/queue/queue.ts";
import { openSqliteQueue } from "../../src/queue/sqlite.ts";
import { scratch } from "../support/hub-process.ts";
import { chunk, until } from "../support/queues.ts";
import { post, request, start } from "./http-support.ts";

type After = Parameters<typeof start>[0];

const line = (n: number, more = "") =>
  `{"uuid":"u-${n}","output":"o","priority":"Warning","rule":"R ${n}","output_fields":{"n":${n}${more}}}`;

/** A hub's port over a real queue whose lane `out:slack` holds `count` dead letters of one alert each. */
const startApi = async (t: After, options: { count?: number; token?: string; queue?: Partial<Queue> } = {}) => {
  const { dir, remove } = scratch();
  const now = () => 1_700_000_100_000;
  const queue = openSqliteQueue({ dir, durability: "normal", now });
  const { count = 3 } = options;
  await queue.push(Array.from({ length: count }, (_, n) => chunk("out:slack", `c-${n}`, line(n))));
  const bury = queue.consume(
    "out:slack",
    async ({ body }) => ({ dead: [{ body, count: 1, why: "client_error: HTTP 400" }] }),
    4,
  );
  await until("all are dead", async () => (await queue.depth("out:slack")).dead === count);
  await bury.close(1000);
  const log = createLogger({ format: "json", level: "silent", secrets: [] }, { write: () => {} });
  const family = deadLetters({
    queue: { ...queue, ...options.queue },
    lanes: ["alerts", "out:slack", "out:webhook"],
    state: (lane) => (lane === "out:slack" ? { healthy: false } : undefined),
    token: () => options.token ?? "",
    log,
    now,
  });
  const started = await start(t, {}, { families: [family] });
  t.after(async () => {
    await queue.close();
    remove();
  });
  const call = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const how =
      body === undefined
        ? { headers }
        : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
    const reply = await fetch(`${started.url}/api/v1/${path}`, how);
    assert.equal(reply.headers.get("content-type"), "application/json");
    return { status: reply.status, body: JSON.parse(await reply.text()) };
  };
  return { ...started, queue, call };
};

const idsOf = (page: { deadLetters: { id: string }[] }) => page.deadLetters.map((l) => l.id);

test("lanes tell depth, age and how the destination does, empty ones too", async (t) => {
  const { call, queue } = await startApi(t);
  await queue.push([chunk("out:webhook", "w", line(1), { at: 1_700_000_000_000 })]);
  const { status, body } = await call("lanes");
  assert.equal(status, 200);
  assert.equal(body.queue.driver, "sqlite");
  assert.deepEqual(body.lanes, [
    { lane: "alerts", waiting: 0, active: 0, delayed: 0, dead: 0 },
    {
      lane: "out:slack",
      output: "slack",
      waiting: 0,
      active: 0,
      delayed: 0,
      dead: 3,
      state: { healthy: false },
    },
    { lane: "out:webhook", output: "webhook", waiting: 1, active: 0, delayed: 0, dead: 0, oldestAgeSeconds: 100 },
  ]);
});

test("a dead letter tells its output, reason, times and alerts", async (t) => {
  const { call } = await startApi(t, { count: 1 });
  const { body } = await call("dead-letters?output=slack");
  const [{ id, ...letter }] = body.deadLetters;
  assert.equal(typeof id, "string");
  assert.deepEqual(letter, {
    lane: "out:slack",
    output: "slack",
    why: "client_error: HTTP 400",
    acceptedAt: "2023-11-14T22:13:20.000Z",
    diedAt: "2023-11-14T22:15:00.000Z",
    count: 1,
    alerts: [JSON.parse(line(0))],
  });
  assert.equal(body.next, undefined);
});

test("numbers that a double cannot hold keep their digits, and a letter that cannot be read says so", async (t) => {
  const letters = [
    { body: line(1, ',"big":12345678901234567890'), why: "x" },
    { body: "", why: "corrupt" },
  ].map((l, i) => ({ lane: "out:slack", id: `l-${i}`, count: 1, at: 0, diedAt: 0, ...l }));
  const { url } = await startApi(t, { count: 0, queue: { dead: async () => letters } });
  const text = await (await fetch(`${url}/api/v1/dead-letters?output=slack`)).text();
  assert.match(text, /"big":12345678901234567890\b/);
  assert.deepEqual(JSON.parse(text).deadLetters[1].unreadable, true);
});

test("pages follow each other through all lanes without a letter twice or left out", async (t) => {
  const { call, queue } = await startApi(t, { count: 25 });
  await queue.push([chunk("alerts", "a", line(99))]);
  const bury = queue.consume("alerts", async ({ body }) => ({ dead: [{ body, count: 1, why: "corrupt" }] }), 1);
  await until("it is dead", async () => (await queue.depth("alerts")).dead === 1);
  await bury.close(1000);
  const seen: string[] = [];
  const sizes: number[] = [];
  let query = "limit=12";
  for (let pages = 0; pages < 5; pages++) {
    const { body } = await call(`dead-letters?${query}`);
    seen.push(...body.deadLetters.map((l: { lane: string; id: string }) => `${l.lane} ${l.id}`));
    sizes.push(body.deadLetters.length);
    if (!body.next) break;
    query = `limit=12&after=${encodeURIComponent(body.next)}`;
  }
  assert.deepEqual(sizes, [12, 12, 2]);
  assert.equal(new Set(seen).size, 26);
});

test("a page ends early when its text grows large, and goes on behind it", async (t) => {
  const big = "x".repeat(3 << 20);
  const { call, queue } = await startApi(t, { count: 0 });
  for (const n of [1, 2, 3]) await queue.push([chunk("out:slack", `b-${n}`, line(n, `,"s":"${big}"`))]);
  const bury = queue.consume("out:slack", async ({ body }) => ({ dead: [{ body, count: 1, why: "too_large" }] }), 1);
  await until("all are dead", async () => (await queue.depth("out:slack")).dead === 3);
  await bury.close(1000);
  const first = (await call("dead-letters")).body;
  assert.equal(first.deadLetters.length, 2);
  const second = (await call(`dead-letters?after=${encodeURIComponent(first.next)}`)).body;
  assert.deepEqual([second.deadLetters.length, second.next], [1, undefined]);
});

test("redrive moves the letters named, each once, or all, back into the lane", async (t) => {
  const { call, queue } = await startApi(t, { count: 4 });
  const [id] = idsOf((await call("dead-letters")).body);
  const some = await call("dead-letters/redrive", { output: "slack", ids: [id, id, "no such"] });
  assert.deepEqual(some, { status: 200, body: { letters: 1 } });
  assert.deepEqual((await call("dead-letters/redrive", { output: "slack", ids: [] })).body, { letters: 0 });
  const partly = await queue.depth("out:slack");
  assert.deepEqual([partly.waiting, partly.dead], [1, 3]);
  assert.deepEqual((await call("dead-letters/redrive", { lane: "out:slack" })).body, { letters: 3 });
  const { waiting, dead } = await queue.depth("out:slack");
  assert.deepEqual([waiting, dead], [4, 0]);
});

test("discard removes the letters named, or all, however many pages they are", async (t) => {
  const { call, queue } = await startApi(t, { count: 23 });
  const [id] = idsOf((await call("dead-letters")).body);
  assert.deepEqual((await call("dead-letters/discard", { output: "slack", ids: [id] })).body, { letters: 1 });
  assert.deepEqual((await call("dead-letters/discard", { output: "slack" })).body, { letters: 22 });
  assert.deepEqual(idsOf((await call("dead-letters")).body), []);
  assert.equal((await queue.depth("out:slack")).waiting, 0);
});

test("what cannot be understood is refused with a reason, and moves nothing", async (t) => {
  const { call, queue, url } = await startApi(t);
  for (const body of [{}, [], 1, null, { output: 1 }, { output: "slack", lane: "out:slack" }, { ids: ["a"] }])
    assert.equal((await call("dead-letters/redrive", body)).status, 400, JSON.stringify(body));
  for (const ids of ["a", [1], {}, null, Array(10_001).fill("a")])
    assert.equal((await call("dead-letters/discard", { output: "slack", ids })).status, 400);
  assert.equal((await call("dead-letters/discard", { output: "nowhere" })).status, 404);
  assert.equal((await call("dead-letters?output=nowhere")).status, 404);
  for (const query of ["limit=0", "limit=-1", "limit=x", "after=x", "after=%25E0/x", "output=slack&after=alerts/1"])
    assert.equal((await call(`dead-letters?${query}`)).status, 400, query);
  const raw = async (body: string) =>
    (
      await fetch(`${url}/api/v1/dead-letters/discard`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      })
    ).status;
  assert.equal(await raw("{"), 400);
  assert.equal(await raw(" ".repeat(2 << 20)), 413);
  assert.equal((await queue.depth("out:slack")).dead, 3);
});

test("another method on these paths is 405, a POST to a path beside them is still an alert", async (t) => {
  const { call, url, port, taken } = await startApi(t, { count: 0 });
  assert.equal((await call("dead-letters", {})).status, 405);
  assert.equal((await call("dead-letters/redrive")).status, 405);
  const reply = await fetch(`${url}/api/v1/lanes`, { method: "DELETE" });
  assert.deepEqual([reply.status, reply.headers.get("allow")], [405, "GET"]);
  assert.equal((await post(port, "{}", [], "/api/v1/anything")).status, 200);
  assert.deepEqual(taken, ["{}"]);
});

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
  ]) {
    const [name = "", value = ""] = header.split(": ");
    assert.equal((await call("lanes", undefined, { [name]: value })).status, 403, header);
  }
  for (const name of ["accept-language", "user-agent", "cookie", "x-custom"])
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

test("a queue that does not answer is 503 with a reason", async (t) => {
  const away = async () => {
    throw new QueueError("unavailable", "Redis is away");
  };
  const { call } = await startApi(t, { count: 0, queue: { dead: away } });
  assert.deepEqual(await call("dead-letters"), { status: 503, body: { error: "the queue does not answer" } });
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
