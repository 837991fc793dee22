import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { makeAuthority } from "../../fakes/certificates.ts";
import { settled } from "../../fakes/clock.ts";
import { hookOutput, instanceOf, makeAlert } from "../../fakes/delivery.ts";
import type { HttpSink } from "../../fakes/http-sink.ts";
import { numbered, rigsOfFile } from "../../support/rigs.ts";

const { rigs, newSink, newRig } = rigsOfFile();
const canary = "canary-5b1f";
/** The address, with its secret path, must be in no log line and no metric after any fault. */
afterEach(() => {
  for (const rig of rigs.splice(0))
    for (const line of [...rig.lines, ...rig.counted]) assert.doesNotMatch(line, /canary|127\.0\.0\.1/);
});

const secretPath = (sink: HttpSink): string => `${sink.url}/services/${canary}?token=${canary}`;

describe("a destination that fails for a while", () => {
  test("500 twelve times, then 200: delivered once, after waits that double to the cap", async () => {
    const sink = await newSink();
    sink.next(...Array.from({ length: 12 }, () => ({ status: 500, body: canary })));
    const rig = await newRig(instanceOf(hookOutput(secretPath(sink))));
    let item = rig.item([makeAlert("a")]);
    const waits: number[] = [];
    for (;;) {
      const settlement = await rig.delivery.handle(item);
      assert.equal(settlement.dead, undefined);
      if (!settlement.retry) break;
      waits.push(settlement.retry.inMs);
      item = rig.again(item, settlement);
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, ...Array(7).fill(30_000)]);
    assert.equal(sink.count(), 13);
    const told = rig.lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      told.map((line) => line.msg),
      ["delivery failed: HTTP 500", "delivery works again"],
    );
    assert.equal(told[1].failures, 12);
    assert.equal(rig.counted.filter((line) => line === "retried server_error 1").length, 12);
  });

  for (const [name, retryAfter, ms] of [
    ["seconds", 90, 90_000],
    ["a date", new Date(Date.now() + 120_000).toUTCString(), 120_000],
    ["an absurd number of seconds", 31_536_000, 3_600_000],
    ["an absurd date", "Thu, 01 Jan 2099 00:00:00 GMT", 3_600_000],
  ] as const)
    test(`429 with Retry-After as ${name}: nothing is sent to it before that, not even other alerts`, async () => {
      const sink = await newSink();
      sink.next({ status: 429, retryAfter });
      const rig = await newRig(instanceOf(hookOutput(secretPath(sink))));
      const item = rig.item([makeAlert("a")]);
      const settlement = await rig.delivery.handle(item);
      const wait = settlement.retry?.inMs ?? 0;
      assert.ok(Math.abs(wait - ms) <= 2000, `waits ${wait}`);

      await rig.clock.pass(wait - 1000);
      const other = rig.delivery.handle(rig.item([makeAlert("b")]));
      await rig.clock.pass(999);
      assert.equal(sink.count(), 1);
      await rig.clock.pass(1);
      assert.deepEqual(await other, {});
      assert.equal(sink.count(), 2);
    });

  test("429 with Retry-After shorter than the backoff: the backoff stands", async () => {
    const sink = await newSink();
    sink.next({ status: 429, retryAfter: 1 });
    const rig = await newRig(instanceOf(hookOutput(sink.url)));
    const settlement = await rig.delivery.handle(rig.item([makeAlert("a")], { attempt: 4 }));
    assert.equal(settlement.retry?.inMs, 16_000);
  });

  test("waits have full jitter", async () => {
    const sink = await newSink();
    sink.always({ status: 503 });
    const rig = await newRig(instanceOf(hookOutput(sink.url)), () => 0.25);
    const settlement = await rig.delivery.handle(rig.item([makeAlert("a")], { attempt: 2 }));
    assert.equal(settlement.retry?.inMs, 1000);
  });
});

describe("a destination that refuses", () => {
  for (const [status, why] of [
    [400, "client_error: HTTP 400"],
    [401, "auth_error: HTTP 401"],
    [403, "auth_error: HTTP 403"],
    [404, "not_found: HTTP 404"],
    [413, "too_large: HTTP 413"],
    [422, "invalid: HTTP 422"],
    [301, "redirect: HTTP 301"],
  ] as const)
    test(`${status}: one attempt, then a dead letter with its reason and the whole alert`, async () => {
      const sink = await newSink();
      sink.always({ status, headers: { Location: `${sink.url}/elsewhere` } });
      const rig = await newRig(instanceOf(hookOutput(secretPath(sink))));
      const { dead, retry } = await rig.delivery.handle(rig.item([makeAlert("a", { output: "kept" })]));
      assert.equal(retry, undefined);
      assert.deepEqual(
        dead?.map((part) => [part.why, part.count, JSON.parse(part.body).output]),
        [[why, 1, "kept"]],
      );
      assert.equal(sink.count(), 1);
      assert.equal(rig.delivery.state().healthy, false);
    });
});

describe("a destination that misbehaves", () => {
  for (const fault of ["hang", "drip"] as const)
    test(`${fault}: the attempt ends at its time limit and is repeated; the socket is given up`, async () => {
      const sink = await newSink();
      sink.next({ fault });
      const rig = await newRig(instanceOf(hookOutput(secretPath(sink))));
      const item = rig.item([makeAlert("a")]);
      const first = rig.delivery.handle(item);
      await sink.received(1);
      await rig.clock.pass(9999);
      assert.equal(rig.delivery.state().inFlight, 1);
      await rig.clock.pass(1);
      const settlement = await first;
      assert.equal(settlement.retry?.count, 1);
      assert.equal(rig.delivery.state().lastFailure?.reason, "timeout");
      assert.deepEqual(await rig.delivery.handle(rig.again(item, settlement)), {});
      assert.equal(rig.clock.timers(), 0);
    });

  for (const fault of ["reset", "reset-in-body", "close", "garbage"] as const)
    test(`${fault}: repeated`, async () => {
      const sink = await newSink();
      sink.next({ fault, body: canary });
      const rig = await newRig(instanceOf(hookOutput(secretPath(sink))));
      const item = rig.item([makeAlert("a")]);
      const settlement = await rig.delivery.handle(item);
      assert.equal(settlement.retry?.inMs, 1000);
      assert.deepEqual(await rig.delivery.handle(rig.again(item, settlement)), {});
    });

  test("a certificate that nobody vouches for: retried and named, for it may be renewed", async () => {
    const sink = await newSink({ tls: makeAuthority().server() });
    const rig = await newRig(instanceOf(hookOutput(secretPath(sink))));
    const { retry } = await rig.delivery.handle(rig.item([makeAlert("a")]));
    assert.equal(retry?.count, 1);
    assert.equal(rig.delivery.state().lastFailure?.reason, "tls");
  });
});

describe("a destination that is down", () => {
  test("the breaker stops the attempts, one probe is made, and its success brings all through", async () => {
    const sink = await newSink();
    sink.always({ status: 500 });
    const rig = await newRig(
      instanceOf(hookOutput(secretPath(sink)), { maxconcurrentrequests: 4, breaker: { failures: 3, openMs: 30_000 } }),
    );
    for (let i = 0; i < 3; i += 1) await rig.delivery.handle(rig.item([makeAlert(`early${i}`)]));
    assert.equal(rig.delivery.state().breaker, "open");

    const items = ["a", "b", "c", "d", "e"].map((name) => rig.delivery.handle(rig.item([makeAlert(name)])));
    await rig.clock.pass(29_999);
    assert.equal(sink.count(), 3);
    sink.always({ delayMs: 5 });
    await rig.clock.pass(1);
    await sink.received(4);
    assert.equal(rig.delivery.state().breaker, "half_open");
    assert.equal(rig.delivery.state().inFlight, 1);
    assert.deepEqual(await Promise.all(items), [{}, {}, {}, {}, {}]);
    assert.equal(rig.delivery.state().breaker, "closed");
    assert.deepEqual(
      rig.counted.filter((line) => line.startsWith("breaker")),
      ["breaker closed", "breaker open", "breaker half_open", "breaker closed"],
    );
  });

  test("items whose time in hand is over go back unharmed: no attempt is counted, the wait is what is left", async () => {
    const sink = await newSink();
    sink.always({ status: 500 });
    const rig = await newRig(
      instanceOf(hookOutput(sink.url), {
        breaker: { failures: 1, openMs: 200_000 },
        retry: { initialMs: 1000, maxMs: 30_000, maxAttempts: 2 },
      }),
    );
    await rig.delivery.handle(rig.item([makeAlert("first")]));
    let item = rig.item([makeAlert("a")]);
    for (let i = 0; i < 3; i += 1) {
      const held = rig.delivery.handle(item);
      await rig.clock.pass(60_000);
      const settlement = await held;
      assert.equal(settlement.retry?.inMs, 200_000 - 60_000 * (i + 1));
      assert.equal(settlement.dead, undefined);
      item = rig.again(item, settlement);
    }
    assert.equal(sink.count(), 1);
    await rig.clock.pass(20_000);
    const settlement = await rig.delivery.handle(item);
    assert.equal(settlement.retry?.inMs, 1000);
    await rig.clock.pass(200_000);
    const last = await rig.delivery.handle(rig.again(item, settlement));
    assert.deepEqual(
      last.dead?.map((part) => part.why),
      ["server_error: HTTP 500; given up after 2 attempts"],
    );
  });

  test("an alert that grew too old while it failed is given up, as a dead letter", async () => {
    const sink = await newSink();
    sink.always({ status: 503 });
    const rig = await newRig(
      instanceOf(hookOutput(sink.url), { retry: { initialMs: 1, maxMs: 1, maxAgeMs: 3_600_000 } }),
    );
    const item = rig.item([makeAlert("a")]);
    await rig.pass(3_599_999);
    const settlement = await rig.delivery.handle(item);
    assert.equal(settlement.retry?.count, 1);
    await rig.pass(1);
    const { dead } = await rig.delivery.handle(rig.again(item, settlement));
    assert.deepEqual(
      dead?.map((part) => part.why),
      ["server_error: HTTP 503; given up at the age of 3600 s"],
    );
  });

  test("a wall clock that jumps by an hour makes no alert too old, nor young again", async () => {
    const sink = await newSink();
    sink.always({ status: 503 });
    const rig = await newRig(
      instanceOf(hookOutput(sink.url), { retry: { initialMs: 1, maxMs: 1, maxAgeMs: 1_800_000 } }),
    );
    const item = rig.item([makeAlert("a")]);
    const kept = async () => (await rig.delivery.handle(item)).retry?.count;
    await rig.pass(60_000);
    rig.now += 3_600_000;
    assert.equal(await kept(), 1, "set on");
    const later = rig.item([makeAlert("b")]);
    await rig.pass(60_000);
    rig.now -= 7_200_000;
    assert.equal(await kept(), 1, "set back");
    assert.equal((await rig.delivery.handle(later)).retry?.count, 1);
    await rig.pass(1_680_000);
    const { dead } = await rig.delivery.handle(item);
    assert.match(dead?.[0]?.why ?? "", /given up at the age of 1800 s/);
    assert.equal((await rig.delivery.handle(later)).retry?.count, 1);
    await rig.pass(60_000);
    assert.match((await rig.delivery.handle(later)).dead?.[0]?.why ?? "", /given up at the age of 1800 s/);
  });

  test("what it takes in hand is all it holds: one attempt a slot, nothing more in memory than the items given", async () => {
    const sink = await newSink();
    sink.always({ fault: "hang" });
    const rig = await newRig(instanceOf(hookOutput(sink.url), { maxconcurrentrequests: 2 }));
    const items = Array.from({ length: rig.delivery.parallel }, () => rig.delivery.handle(rig.item(numbered(10))));
    await sink.received(2);
    await settled();
    assert.deepEqual([rig.delivery.state().inFlight, rig.delivery.state().inHand], [2, items.length]);
    assert.equal(sink.sockets(), 2);
    const closed = rig.delivery.close(1000);
    await rig.clock.pass(1000);
    await closed;
    const left = await Promise.all(items);
    assert.equal(
      left.reduce((sum, { retry }) => sum + (retry?.count ?? 0), 0),
      items.length * 10,
    );
  });
});
