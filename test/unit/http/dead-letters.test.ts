import assert from "node:assert/strict";
import { test } from "node:test";
import { type Queue, QueueError } from "../../../src/queue/queue.ts";
import { chunk } from "../../support/queues.ts";
import { until } from "../../support/until.ts";
import { line, startApi } from "./operators-support.ts";
import { post } from "./support.ts";

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

test("a queue that does not answer is 503 with a reason", async (t) => {
  const away = async () => {
    throw new QueueError("unavailable", "Redis is away");
  };
  const { call } = await startApi(t, { count: 0, queue: { dead: away } });
  assert.deepEqual(await call("dead-letters"), { status: 503, body: { error: "the queue does not answer" } });
});

for (const [kind, other] of [
  ["redrive", "discard"],
  ["discard", "redrive"],
] as const)
  test(`a long ${kind} goes on by itself, shows how far it is, is the lane's only one, and can be cancelled`, async (t) => {
    const long: Queue["redrive"] = async (_lane, _ids, { moved, signal } = {}) => {
      moved?.(25);
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      return 50;
    };
    const { call } = await startApi(t, { queue: { [kind]: long } });
    const slack = { output: "slack" };
    const started = await call(`dead-letters/${kind}`, slack);
    assert.deepEqual([started.status, started.body.letters, started.body[kind].state], [202, 25, "running"]);
    assert.equal((await call(`dead-letters/${kind}`, slack)).status, 409);
    assert.equal((await call(`dead-letters/${other}`, slack)).status, 409);
    assert.deepEqual((await call(`dead-letters/${kind}s`)).body, { [`${kind}s`]: [started.body[kind]] });
    assert.deepEqual((await call(`dead-letters/${other}s`)).body, { [`${other}s`]: [] });
    assert.equal((await call(`dead-letters/${other}/cancel`, slack)).status, 404);
    const { body } = await call(`dead-letters/${kind}/cancel`, slack);
    assert.deepEqual([body[kind].id, body[kind].state, body[kind].letters], [started.body[kind].id, "cancelled", 50]);
    assert.equal((await call(`dead-letters/${kind}/cancel`, slack)).status, 404);
    assert.equal((await call(`dead-letters/${kind}/cancel`, { output: "nobody" })).status, 404);
  });
