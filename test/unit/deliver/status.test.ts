import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failureOf } from "../../../src/deliver/failure.ts";
import { retryAfterMs, statusFault } from "../../../src/deliver/status.ts";
import { DeliveryError } from "../../../src/sdk/errors.ts";

/** Every status a server may answer with: `ok`, or reason and what becomes of the alert. */
const expected: Readonly<Record<string, readonly number[]>> = {
  ok: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 299],
  "redirect dead": [300, 301, 302, 303, 304, 305, 306, 307, 308, 399],
  "client_error dead": [
    400, 402, 405, 406, 409, 411, 412, 415, 416, 417, 418, 419, 420, 421, 423, 424, 426, 428, 440, 444, 449, 450, 451,
    460, 463, 494, 495, 496, 497, 498, 499,
  ],
  "auth_error dead": [401, 403],
  "auth_error retry": [407],
  "not_found dead": [404, 410],
  "too_large dead": [413, 414, 431],
  "invalid dead": [422],
  "timeout retry": [408, 504],
  "rate_limited retry": [429],
  "server_error retry": [
    425, 500, 502, 503, 506, 507, 508, 509, 510, 511, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 561, 598, 599,
  ],
  "server_error dead": [501, 505],
  "bad_reply retry": [600, 700, 999],
};

describe("HTTP status", () => {
  for (const [verdict, codes] of Object.entries(expected))
    for (const code of codes)
      test(`${code} is ${verdict}`, () => {
        const fault = statusFault(code);
        assert.equal(fault ? `${fault.reason} ${fault.retryable ? "retry" : "dead"}` : "ok", verdict);
      });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 21, 12, 0, 0);
  const at = (value: string | undefined, date?: string): number | undefined =>
    retryAfterMs({ ...(value !== undefined && { "retry-after": value }), ...(date !== undefined && { date }) }, now);

  test("counts seconds", () => {
    assert.equal(at("120"), 120_000);
    assert.equal(at(" 0 "), 0);
    assert.equal(at("1.5"), 1500);
  });
  test("reads the three forms of an HTTP date", () => {
    for (const date of [
      "Sat, 21 Nov 2026 12:00:30 GMT",
      "Saturday, 21-Nov-26 12:00:30 GMT",
      "Sat Nov 21 12:00:30 2026 GMT",
    ])
      assert.equal(at(date), 30_000, date);
  });
  test("measures a date from the answer's own clock", () => {
    assert.equal(at("Sat, 21 Nov 2026 15:00:30 GMT", "Sat, 21 Nov 2026 15:00:00 GMT"), 30_000);
  });
  test("a date that is over means now", () => assert.equal(at("Fri, 20 Nov 2026 12:00:00 GMT"), 0));
  test("an absurd wait is clamped to an hour", () => {
    assert.equal(at("31536000"), 3_600_000);
    assert.equal(at("9".repeat(400)), 3_600_000);
    assert.equal(at("Sat, 21 Nov 2099 12:00:00 GMT"), 3_600_000);
  });
  test("what cannot be read is as if absent", () => {
    for (const value of [undefined, "", "-5", "soon", "1e9", "0x10", "NaN", "Infinity", "12 s"])
      assert.equal(at(value), undefined, value);
  });
});

describe("a thrown error", () => {
  const coded = (code: string, name = "Error"): Error => Object.assign(new Error(`canary ${code}`), { code, name });

  for (const [code, reason, retryable] of [
    ["ECONNREFUSED", "network", true],
    ["ECONNRESET", "network", true],
    ["EPIPE", "network", true],
    ["ENOTFOUND", "network", true],
    ["EAI_AGAIN", "network", true],
    ["EHOSTUNREACH", "network", true],
    ["UND_ERR_SOCKET", "network", true],
    ["ETIMEDOUT", "timeout", true],
    ["UND_ERR_CONNECT_TIMEOUT", "timeout", true],
    ["CERT_HAS_EXPIRED", "tls", true],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls", true],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls", true],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls", true],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls", true],
    ["EPROTO", "tls", true],
    ["HPE_INVALID_CONSTANT", "bad_reply", true],
    ["UND_ERR_INVALID_ARG", "invalid", false],
    ["ESOMETHING", "other", true],
  ] as const)
    test(`with ${code} is ${reason}, ${retryable ? "retryable" : "permanent"}`, () => {
      for (const error of [
        coded(code),
        new Error("canary", { cause: coded(code) }),
        new AggregateError([coded(code)], "canary"),
        new Error("canary", { cause: new Error("canary", { cause: coded(code) }) }),
      ].slice(0, reason === "other" ? 1 : 4)) {
        const failure = failureOf(error);
        assert.deepEqual([failure.reason, failure.retryable], [reason, retryable]);
        assert.doesNotMatch(failure.message, /canary/);
      }
    });

  test("of fetch (TypeError with a cause) is the network's, not a bug", () => {
    const failure = failureOf(new TypeError("fetch failed canary", { cause: coded("ECONNREFUSED") }));
    assert.deepEqual([failure.reason, failure.retryable], ["network", true]);
  });
  test("of the language is a bug and permanent", () => {
    for (const Kind of [TypeError, RangeError, ReferenceError, SyntaxError]) {
      const failure = failureOf(new Kind("canary"));
      assert.deepEqual([failure.reason, failure.retryable], ["bug", false]);
      assert.doesNotMatch(failure.message, /canary/);
    }
  });
  test("by an abort or a time limit is a timeout", () => {
    for (const name of ["AbortError", "TimeoutError"])
      assert.equal(failureOf(new DOMException("canary", name)).reason, "timeout");
  });
  test("that nobody knows is retried without its words", () => {
    for (const thrown of ["canary", undefined, null, 7, { canary: 1 }, coded("a canary", "x y canary")]) {
      const failure = failureOf(thrown);
      assert.deepEqual([failure.reason, failure.retryable], ["other", true]);
      assert.doesNotMatch(failure.message, /canary/);
    }
  });
  test("whose causes run in a circle is still judged", () => {
    const error = new Error("a");
    error.cause = error;
    assert.equal(failureOf(error).reason, "other");
  });
  test("of delivery says itself what it is", () => {
    const fault = { reason: "partial", retryable: true, failed: [1], dead: [2] } as const;
    assert.deepEqual(failureOf(new DeliveryError("two failed", fault)), { ...fault, message: "two failed" });
  });
});
