import assert from "node:assert/strict";
import { describe, it } from "node:test";
import kafkarest from "../../outputs/kafkarest.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { numbered } from "../support/output-sends.ts";
import { configOf } from "../support/senders.ts";

/** What is thrown for an answer to five alerts; undefined: all were taken. */
const thrownFor = (body: string): DeliveryError | undefined => {
  try {
    kafkarest.accept?.({ status: 200, headers: {}, body }, numbered(5));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DeliveryError);
    return error;
  }
};

describe("kafkarest", () => {
  it("sends again the records that may be taken later, and no others", () => {
    const taken = { partition: 0, offset: 7, error_code: null, error: null };
    const error = thrownFor(
      JSON.stringify({
        offsets: [
          taken,
          { error_code: 2, error: "leader not available" },
          taken,
          { error_code: 1, error: "record too large" },
          { error_code: 404, message: "topic is not there" },
        ],
      }),
    );
    assert.deepEqual(error?.fault.failed, [1, 3, 4]);
    assert.deepEqual(error?.fault.dead, [3]);
    assert.equal(error?.fault.retryable, true);
    assert.ok(error?.said instanceof Map);
    assert.match(String(error.said.get(3)), /record too large/);
    assert.match(String(error.said.get(4)), /topic is not there/);
  });

  it("takes any other answer as delivered", () => {
    for (const body of ["", "ok", "null", "[]", '{"offsets":null}', '{"offsets":[null,1,"x",{},{"error_code":0}]}'])
      assert.equal(thrownFor(body), undefined, body);
  });

  it("counts no error for a record that was not sent", () => {
    const offsets = Array.from({ length: 9 }, (_, i) => ({ error_code: i < 5 ? null : 2 }));
    assert.equal(thrownFor(JSON.stringify({ offsets })), undefined);
  });

  it("warns of a version that there is not", () => {
    const warned = (version: number) =>
      kafkarest.warn?.(configOf(kafkarest, { address: "http://h/topics/a", version }) as never);
    assert.deepEqual(warned(1), []);
    assert.deepEqual(warned(2), []);
    assert.deepEqual(warned(3), ["version: is neither 1 nor 2: 2 is used"]);
  });
});
