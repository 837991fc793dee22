import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { DeliveryError } from "../../../src/sdk/errors.ts";
import { hookOutput, idsOf, instanceOf } from "../../fakes/delivery.ts";
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
const bodies = (sink: HttpSink): string[] => sink.requests.map((request) => request.body);

describe("a batch that is taken in part", () => {
  test("of 100 alerts 95 go once, 3 are repeated alone, 2 are dead letters", async () => {
    const sink = await newSink();
    sink.next({ body: JSON.stringify({ later: [7, 50, 99], never: [0, 33] }) });
    sink.always({ body: "{}" });
    const output = hookOutput(secretPath(sink), {
      batch: { items: 100 },
      accept: (reply) => {
        const { later, never } = JSON.parse(reply.body);
        if (later)
          throw new DeliveryError("5 of 100 failed", {
            reason: "partial",
            retryable: true,
            failed: [...later, ...never],
            dead: never,
          });
      },
    });
    const rig = await newRig(instanceOf(output, { maxconcurrentrequests: 2 }));
    const item = rig.item(numbered(100));
    const settlement = await rig.delivery.handle(item);
    assert.deepEqual(idsOf(settlement.retry?.body ?? ""), ["7", "50", "99"]);
    assert.deepEqual(
      settlement.dead?.map((part) => [part.why, idsOf(part.body)]),
      [["partial: 5 of 100 failed", ["0", "33"]]],
    );
    assert.deepEqual(await rig.delivery.handle(rig.again(item, settlement)), {});
    assert.deepEqual(bodies(sink)[1], '["7","50","99"]');
    assert.equal(sink.count(), 2);
    assert.ok(rig.counted.includes("attempt partial 95 5"));
  });

  test("one alert that the destination refuses (400) does not take its batch along", async () => {
    const sink = await newSink();
    sink.always((request) => (request.body.includes('"13"') ? { status: 400 } : {}));
    const rig = await newRig(instanceOf(hookOutput(sink.url, { batch: { items: 50 } })));
    const { dead, retry } = await rig.delivery.handle(rig.item(numbered(50)));
    assert.equal(retry, undefined);
    assert.deepEqual(
      dead?.map((part) => idsOf(part.body)),
      [["13"]],
    );
    const taken = bodies(sink)
      .filter((body) => !body.includes('"13"'))
      .flatMap((body) => JSON.parse(body) as string[]);
    assert.equal(taken.length, 49);
    assert.equal(new Set(taken).size, 49);
  });
});
