import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { destinationOf } from "../../../src/deliver/chain.ts";
import { DeliveryError } from "../../../src/sdk/errors.ts";
import { settled } from "../../fakes/clock.ts";
import { clientOutput, codec, hookOutput, idsOf, instanceOf, makeAlert } from "../../fakes/delivery.ts";
import { numbered, rigsOfFile } from "../../support/rigs.ts";

const { newSink, newRig } = rigsOfFile();

test("a client learns when the hub took each alert, and the same from a retry", async () => {
  const seen: (readonly number[] | undefined)[] = [];
  const output = clientOutput(() => ({
    send: async (_alerts, _signal, accepted) => {
      seen.push(accepted);
      if (seen.length === 1) throw new DeliveryError("down", { reason: "network", retryable: true });
    },
  }));
  const rig = await newRig(instanceOf({ ...output, batch: { items: 10 } }));
  const [early, late] = [
    rig.item([makeAlert("a"), makeAlert("b")], { at: 1000 }),
    rig.item([makeAlert("c")], { at: 2000 }),
  ];
  const [first, second] = await Promise.all([rig.delivery.handle(early), rig.delivery.handle(late)]);
  rig.now += 86_400_000;
  await Promise.all([rig.delivery.handle(rig.again(early, first)), rig.delivery.handle(rig.again(late, second))]);
  assert.deepEqual(seen, [
    [1000, 1000, 2000],
    [1000, 1000, 2000],
  ]);
});

describe("an HTTP output", () => {
  test("sends falcosidekick's headers unless it names its own", async () => {
    const sink = await newSink();
    const output = hookOutput(sink.url, {
      request: () => ({ url: sink.url, headers: { "content-type": "text/plain", "X-A": "b" }, body: "{}" }),
    });
    const rig = await newRig(instanceOf(output));
    await rig.delivery.handle(rig.item([makeAlert("a")]));
    const headers = sink.requests[0]?.headers;
    assert.equal(headers?.["content-type"], "text/plain");
    assert.equal(headers?.["user-agent"], "Falcosidekick");
    assert.equal(headers?.["x-a"], "b");
  });

  test("takes its batch limits from its configuration where it says so", async () => {
    const sink = await newSink();
    const rig = await newRig(instanceOf(hookOutput(sink.url, { batch: { items: 10 }, batchOf: () => ({ items: 2 }) })));
    await rig.delivery.handle(rig.item(numbered(5)));
    assert.deepEqual(
      sink.requests.map((request) => (JSON.parse(request.body) as unknown[]).length),
      [2, 2, 1],
    );
  });

  test("that throws on one alert loses that alert to the dead letters, not its batch, and tells where, not what", async () => {
    const sink = await newSink();
    const output = hookOutput(sink.url, {
      batch: { items: 10 },
      request: (alerts) => {
        if (alerts.some((alert) => alert.uuid === "3")) JSON.parse("canary");
        return { url: sink.url, body: String(alerts.length) };
      },
    });
    const rig = await newRig(instanceOf(output));
    const { dead, retry } = await rig.delivery.handle(rig.item(numbered(6)));
    assert.equal(retry, undefined);
    assert.deepEqual(
      dead?.map((part) => [part.why, idsOf(part.body)]),
      [["bug: SyntaxError in the output", ["3"]]],
    );
    assert.equal(
      sink.requests.reduce((sum, request) => sum + Number(request.body), 0),
      5,
    );
    assert.match(rig.lines.join(), /deliver\/chain\.test/);
    assert.doesNotMatch(rig.lines.join(), /canary/);
  });

  test("that cannot read a 200 answer has the alerts sent again: a portal's page is no receipt", async () => {
    const sink = await newSink();
    sink.next({ body: "<html>log in first</html>" });
    sink.always({ body: "{}" });
    const rig = await newRig(instanceOf(hookOutput(sink.url, { accept: (reply) => JSON.parse(reply.body) })));
    const item = rig.item([makeAlert("a")]);
    const settlement = await rig.delivery.handle(item);
    assert.equal(rig.delivery.state().lastFailure?.reason, "bad_reply");
    assert.deepEqual(await rig.delivery.handle(rig.again(item, settlement)), {});
  });

  test("has as many attempts in flight as it may and no more", async () => {
    const sink = await newSink();
    sink.always({ delayMs: 10 });
    const rig = await newRig(instanceOf(hookOutput(sink.url), { maxconcurrentrequests: 5 }));
    await rig.delivery.handle(rig.item(numbered(30)));
    assert.equal(sink.mostInFlight(), 5);
    assert.equal(sink.count(), 30);
  });

  test("with one slot keeps the order of alerts, within an item and from item to item", async () => {
    const sink = await newSink();
    const rig = await newRig(instanceOf(hookOutput(sink.url)));
    const items = [rig.item(numbered(5)), rig.item([makeAlert("5"), makeAlert("6")])];
    await Promise.all(items.map(rig.delivery.handle));
    assert.deepEqual(
      sink.requests.flatMap((request) => JSON.parse(request.body)),
      ["0", "1", "2", "3", "4", "5", "6"],
    );
  });

  test("is paced by its rate limit without an attempt being counted", async () => {
    const sink = await newSink();
    const rig = await newRig(instanceOf(hookOutput(sink.url), { ratelimit: { perSecond: 1, burst: 2 } }));
    const held = rig.delivery.handle(rig.item(numbered(10)));
    await sink.received(2);
    await settled();
    await rig.clock.pass(1000);
    await sink.received(3);
    await settled();
    await rig.clock.pass(1000);
    const { retry, dead } = await held;
    assert.equal(dead, undefined);
    assert.ok(retry && retry.count >= 6 && retry.inMs <= 1000, JSON.stringify(retry));
    assert.equal(rig.counted.filter((line) => line.startsWith("retried")).length, 0);
  });
});

describe("an item", () => {
  test("still in memory is not decoded again", async () => {
    const sink = await newSink();
    const rig = await newRig(instanceOf(hookOutput(sink.url)));
    const item = { ...rig.item([]), body: "never read", count: 1, decoded: { codec, value: [makeAlert("live")] } };
    assert.deepEqual(await rig.delivery.handle(item), {});
    assert.equal(sink.requests[0]?.body, '["live"]');
  });

  test("that cannot be decoded becomes a dead letter as it is", async () => {
    const rig = await newRig(instanceOf(hookOutput("http://127.0.0.1:9")));
    const { dead } = await rig.delivery.handle({ ...rig.item([]), body: "{damaged", count: 4 });
    assert.deepEqual(dead, [{ body: "{damaged", count: 4, why: "bug: the chunk cannot be decoded" }]);
  });

  test("without alerts is done", async () => {
    const rig = await newRig(instanceOf(hookOutput("http://127.0.0.1:9")));
    assert.deepEqual(await rig.delivery.handle({ ...rig.item([]), decoded: { codec, value: [] } }), {});
  });

  test("that comes after closing goes back to the lane", async () => {
    const rig = await newRig(instanceOf(hookOutput("http://127.0.0.1:9")));
    await rig.delivery.close(1000);
    const { retry } = await rig.delivery.handle(rig.item(numbered(3)));
    assert.deepEqual([retry?.count, retry?.inMs], [3, 1000]);
  });
});

test("enough items are taken in hand to fill batches and slots, but never many", async () => {
  const parallel = async (items: number | undefined, slots: number): Promise<number> => {
    const output = hookOutput("http://127.0.0.1:9", items === undefined ? {} : { batch: { items } });
    return (await newRig(instanceOf(output, { maxconcurrentrequests: slots }))).delivery.parallel;
  };
  assert.deepEqual(
    [await parallel(undefined, 1), await parallel(10, 1), await parallel(500, 4), await parallel(undefined, 100)],
    [2, 10, 64, 100],
  );
  assert.deepEqual([await parallel(undefined, 0), await parallel(undefined, Infinity)], [256, 256]);
});

test("a destination that fails every other time writes a line a minute, not a line an alert", async () => {
  const sink = await newSink();
  sink.always((_, index) => ({ status: index % 2 === 0 ? 400 : 200 }));
  const rig = await newRig(instanceOf(hookOutput(sink.url)));
  for (let i = 0; i < 100; i += 1) {
    await rig.delivery.handle(rig.item([makeAlert("a")]));
    rig.now += 100;
  }
  assert.equal(rig.lines.filter((line) => line.includes("delivery failed")).length, 1);
  rig.now += 60_000;
  await rig.delivery.handle(rig.item([makeAlert("a")]));
  const told = rig.lines.filter((line) => line.includes("delivery failed"));
  assert.deepEqual(
    told.map((line) => JSON.parse(line).failures),
    [1, 50],
  );
});

test("the destination label is falcosidekick's, and the instance's own name in a list", () => {
  const output = { ...hookOutput("http://127.0.0.1:9"), label: "webhook" };
  assert.equal(destinationOf(instanceOf(output)), "webhook");
  assert.equal(destinationOf({ ...instanceOf(output), id: "hook.second", name: "second" }), "hook.second");
});
