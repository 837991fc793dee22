import assert from "node:assert/strict";
import { test } from "node:test";
import { failAws } from "../../../src/sdk/aws.ts";
import { DeliveryError } from "../../../src/sdk/errors.ts";

/** What delivery is told of an AWS client's error. */
const told = (error: unknown): [message: string, reason: string, retryable: boolean] => {
  try {
    return failAws(error);
  } catch (thrown) {
    assert.ok(thrown instanceof DeliveryError);
    return [thrown.message, thrown.fault.reason, thrown.fault.retryable];
  }
};

test("an AWS that is not reached is not said to have answered, and the text of its error is not passed on", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" });
  assert.deepEqual(told(refused), ["AWS is not reached (ECONNREFUSED)", "network", true]);
  assert.deepEqual(told(new Error("https://secret/")), ["AWS is not reached (Error)", "network", true]);
});

test("a region that is missing is named and is no fault of the network", () => {
  assert.deepEqual(told(new Error("Region is missing")), ["no region is configured for AWS", "config", true]);
});

test("what AWS answered keeps its name", () => {
  const denied = Object.assign(new Error("…"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
  assert.deepEqual(told(denied), ["AWS answered AccessDenied", "auth_error", true]);
});
