import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DeliveryError } from "../../../src/sdk/errors.ts";
import { hookOutput, instanceOf, makeAlert, type Rig } from "../../fakes/delivery.ts";
import type { HttpSink } from "../../fakes/http-sink.ts";
import { rigsOfFile } from "../../support/rigs.ts";
import { until } from "../../support/until.ts";

const { newSink, newRig } = rigsOfFile();
const ordered = (sink: HttpSink, more: object = {}) =>
  hookOutput(sink.url, { ordered: "stream", batch: { items: 2 }, ...more });
const sent = (sink: HttpSink): string[] => sink.requests.map(({ body }) => (JSON.parse(body) as string[]).join(""));
const named = (...names: readonly string[]) => names.map((name) => makeAlert(name));

/** So many requests came, and the last was answered. */
const landed = async (rig: Rig, sink: HttpSink, count: number): Promise<void> => {
  await sink.received(count);
  await until("the answer is read", () => sink.count() === count && rig.delivery.state().inFlight === 0);
};

describe("a destination that needs order", () => {
  test("gets one request at a time, and what failed before all that is newer", async () => {
    const sink = await newSink();
    sink.next({}, { status: 503 }, { status: 503, retryAfter: 90 });
    const rig = await newRig(instanceOf(ordered(sink), { maxconcurrentrequests: 8 }));
    const handled = [named("a", "b"), named("c", "d"), named("e")].map((alerts) =>
      rig.delivery.handle(rig.item(alerts)),
    );
    await landed(rig, sink, 2);
    await rig.clock.pass(1000);
    await landed(rig, sink, 3);
    await rig.clock.pass(89_000);
    assert.equal(rig.delivery.state().inHand, 2, "nothing goes back to the lane, however long it takes");
    assert.equal(sink.count(), 3);
    await rig.clock.pass(1000);
    assert.deepEqual(await Promise.all(handled), [{}, {}, {}]);
    assert.deepEqual(sent(sink), ["ab", "cd", "cd", "cd", "e"]);
    assert.equal(sink.mostInFlight(), 1);
    assert.deepEqual(
      rig.counted.filter((line) => line.startsWith("retried")),
      Array(4).fill("retried server_error 1"),
    );
  });

  test("gets the failed part of a request again alone, and a refused batch in halves, in order", async () => {
    const sink = await newSink();
    const accept = () => {
      if (sink.count() === 1)
        throw new DeliveryError("one failed", { reason: "server_error", retryable: true, failed: [1] });
    };
    sink.next({}, {}, { status: 400 }, { status: 400 });
    const rig = await newRig(instanceOf(ordered(sink, { accept })));
    const handled = [named("a", "b"), named("c", "d"), named("e")].map((alerts) =>
      rig.delivery.handle(rig.item(alerts)),
    );
    await landed(rig, sink, 1);
    await rig.clock.pass(1000);
    const [first, second, third] = await Promise.all(handled);
    assert.deepEqual([first, third], [{}, {}]);
    assert.deepEqual(
      second?.dead?.map(({ why, count }) => [why, count]),
      [["client_error: HTTP 400", 1]],
    );
    assert.deepEqual(sent(sink), ["ab", "b", "cd", "c", "d", "e"]);
  });

  test("goes on past an alert that need not be waited for, which the lane takes back", async () => {
    const sink = await newSink();
    const accept = () => {
      if (sink.count() === 1)
        throw new DeliveryError("no such stream", { reason: "rate_limited", retryable: true, failed: [0], aside: [0] });
    };
    const rig = await newRig(instanceOf(ordered(sink, { accept })));
    const [first, second] = await Promise.all(
      [named("a", "b"), named("c")].map((alerts) => rig.delivery.handle(rig.item(alerts))),
    );
    assert.equal(first?.retry?.count, 1);
    assert.deepEqual(second, {});
    assert.deepEqual(sent(sink), ["ab", "c"]);
  });

  test("is given up where `retry` says so, and what is newer goes on", async () => {
    const sink = await newSink();
    sink.next({ status: 503 }, { status: 503 });
    const retry = { initialMs: 1000, maxMs: 1000, maxAttempts: 2 };
    const rig = await newRig(instanceOf(ordered(sink), { retry }));
    const [first, second] = [
      rig.delivery.handle(rig.item(named("a"))),
      rig.delivery.handle(rig.item(named("b", "c", "d"))),
    ];
    await landed(rig, sink, 1);
    await rig.clock.pass(1000);
    await sink.received(2);
    assert.match((await first).dead?.[0]?.why ?? "", /given up after 2 attempts/);
    assert.match((await second).dead?.[0]?.why ?? "", /given up after 2 attempts/);
    assert.deepEqual(sent(sink), ["ab", "ab", "cd"]);
  });

  test("settles nothing when it closes: the lane takes back what it gave, in its order", async () => {
    const sink = await newSink();
    sink.always({ status: 503 });
    const rig = await newRig(instanceOf(ordered(sink)));
    let over = 0;
    for (const name of ["a", "b", "c"]) void rig.delivery.handle(rig.item(named(name))).then(() => over++);
    await landed(rig, sink, 1);
    const closed = rig.delivery.close(10);
    await rig.clock.pass(10);
    await closed;
    assert.equal(over, 0);
  });

  test("is asked which alerts may share a request", async () => {
    const sink = await newSink();
    const joins = (first: { rule: string }, next: { rule: string }) => first.rule === next.rule;
    const rig = await newRig(instanceOf(ordered(sink, { joins, batch: { items: 9 } })));
    const alerts = ["x", "x", "y", "y", "x"].map((rule, i) => makeAlert(String(i), { rule }));
    assert.deepEqual(await rig.delivery.handle(rig.item(alerts)), {});
    assert.deepEqual(sent(sink), ["01", "23", "4"]);
  });
});
