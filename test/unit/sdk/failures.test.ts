import assert from "node:assert/strict";
import { test } from "node:test";
import { DeliveryError } from "../../../src/sdk/errors.ts";
import { type AlertFault, failures } from "../../../src/sdk/failures.ts";

const thrown = (faults: readonly AlertFault[]): DeliveryError => {
  try {
    failures(faults, (reason, alerts) => `${alerts} of the batch: ${reason}`);
  } catch (error) {
    assert.ok(error instanceof DeliveryError);
    return error;
  }
  return assert.fail("no error");
};

test("a batch without faults was taken", () => {
  assert.doesNotThrow(() => failures([], () => assert.fail("nothing to say")));
});

test("the failed are named in their order, those that never succeed apart, each with what was said of it", () => {
  const error = thrown([
    { index: 7, reason: "server_error", retryable: true, said: "later" },
    { index: 2, reason: "invalid", retryable: false, said: "never" },
    { index: 4, reason: "server_error", retryable: true, aside: true },
  ]);
  assert.deepEqual(error.fault, { reason: "partial", retryable: true, failed: [2, 4, 7], dead: [2], aside: [4] });
  assert.equal(error.message, "3 of the batch: partial");
  assert.deepEqual(
    [...(error.said as ReadonlyMap<number, string>)],
    [
      [2, "never"],
      [4, ""],
      [7, "later"],
    ],
  );
});

test("faults of one reason have it together, and nothing goes again when none may", () => {
  const both = ([0, 1] as const).map((index) => ({ index, reason: "too_large", retryable: false }) as const);
  assert.deepEqual(thrown(both).fault, { reason: "too_large", retryable: false, failed: [0, 1], dead: [0, 1] });
});

test("a connection that broke is told as such among other faults, so that it is opened anew", () => {
  const { fault } = thrown([
    { index: 0, reason: "too_large", retryable: false },
    { index: 1, reason: "network", retryable: true },
  ]);
  assert.deepEqual(fault, { reason: "network", retryable: true, failed: [0, 1], dead: [0] });
});
