import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { proxyFor } from "../../../src/config/proxy.ts";
import { breaker } from "../../../src/deliver/breaker.ts";
import { concurrency } from "../../../src/deliver/concurrency.ts";
import type { Failure } from "../../../src/deliver/failure.ts";
import { limit } from "../../../src/deliver/limit.ts";
import { pace } from "../../../src/deliver/pace.ts";
import { backoffMs, waitMs } from "../../../src/time/backoff.ts";

const down: Failure = { reason: "network", retryable: true, message: "down" };
const refused: Failure = { reason: "client_error", retryable: false, message: "HTTP 400" };
const partly: Failure = { reason: "partial", retryable: true, failed: [0], message: "one failed" };
const bug: Failure = { reason: "bug", retryable: false, message: "TypeError" };

describe("backoff", () => {
  const limits = { initialMs: 1000, maxMs: 30_000 };
  test("doubles to its cap", () => {
    const most = [1, 2, 3, 4, 5, 6, 7, 1000, 1e9].map((attempts) => backoffMs(attempts, limits, () => 1));
    assert.deepEqual(most, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });
  test("has full jitter: anything from none to the ceiling", () => {
    assert.deepEqual(
      [0, 0.25, 0.5].map((random) => backoffMs(3, limits, () => random)),
      [0, 1000, 2000],
    );
  });
  test("has the destination's wait as a floor, not as a replacement", () => {
    assert.equal(waitMs(500, 3000), 3000);
    assert.equal(waitMs(5000, 3000), 5000);
    assert.equal(waitMs(5000, undefined), 5000);
  });
});

describe("concurrency", () => {
  test("opens when one in flight ends", () => {
    const gate = concurrency(2);
    gate.enter?.(0, 1);
    assert.equal(gate.wait(0), 0);
    gate.enter?.(0, 1);
    assert.equal(gate.wait(0), Infinity);
    gate.leave?.(0, undefined);
    assert.equal(gate.wait(0), 0);
  });
});

describe("rate limit", () => {
  test("never lets more through than burst plus rate, in any window", () => {
    for (const [perSecond, burst] of [
      [1, 1],
      [10, 1],
      [3, 7],
      [0.5, 2],
      [1000, 100],
    ] as const) {
      const gate = limit({ perSecond, burst }, 0);
      const sent: { readonly at: number; readonly alerts: number }[] = [];
      let at = 0;
      for (let i = 0; i < 200; i += 1) {
        const wait = gate.wait(at);
        if (wait > 0) at += wait;
        else {
          const alerts = Math.min(gate.room?.(at) ?? 0, 1 + (i % 5));
          assert.ok(alerts >= 1);
          gate.enter?.(at, alerts);
          sent.push({ at, alerts });
          if (i % 50 === 49) at += 5000;
        }
      }
      for (const [from, first] of sent.entries()) {
        let alerts = 0;
        for (const one of sent.slice(from)) {
          alerts += one.alerts;
          assert.ok(
            alerts <= burst + ((one.at - first.at) * perSecond) / 1000 + 1e-3,
            `${perSecond}/s, burst ${burst}`,
          );
        }
      }
    }
  });
  test("a clock that stands still or goes back gives nothing away", () => {
    const gate = limit({ perSecond: 10, burst: 1 }, 1000);
    gate.enter?.(1000, 1);
    assert.equal(gate.wait(1000), 100);
    assert.equal(gate.wait(0), 100);
    assert.equal(gate.wait(1100), 0);
  });
});

describe("pace", () => {
  test("holds everything until Retry-After is over, the longest of several", () => {
    const gate = pace();
    assert.equal(gate.wait(0), 0);
    gate.leave?.(0, { ...down, retryAfterMs: 5000 });
    gate.leave?.(1000, { ...down, retryAfterMs: 1000 });
    assert.equal(gate.wait(1000), 4000);
    gate.leave?.(1000, undefined);
    assert.equal(gate.wait(4999), 1);
    assert.equal(gate.wait(5000), 0);
  });
});

describe("breaker", () => {
  const setup = () => {
    const states: string[] = [];
    const gate = breaker({ failures: 3, openMs: 1000 }, (state) => states.push(state));
    const attempt = (at: number, failure?: Failure): void => {
      assert.equal(gate.wait(at), 0);
      gate.enter?.(at, 1);
      gate.leave?.(at, failure);
    };
    return { states, gate, attempt };
  };

  test("opens after failures in a row, lets one probe through, closes on its success", () => {
    const { states, gate, attempt } = setup();
    for (let i = 0; i < 3; i += 1) attempt(i, down);
    assert.deepEqual([gate.state(2), gate.wait(2), gate.failing()], ["open", 1000, down]);
    assert.equal(gate.wait(1001), 1);
    gate.enter?.(1002, 1);
    assert.deepEqual([gate.state(1002), gate.wait(1002)], ["half_open", Infinity]);
    gate.leave?.(1100, undefined);
    assert.deepEqual([gate.state(1100), gate.wait(1100), gate.failing()], ["closed", 0, undefined]);
    assert.deepEqual(states, ["open", "half_open", "closed"]);
  });
  test("opens again at once when the probe fails", () => {
    const { states, gate, attempt } = setup();
    for (let i = 0; i < 3; i += 1) attempt(0, down);
    attempt(1000, down);
    assert.equal(gate.wait(1000), 1000);
    assert.deepEqual(states, ["open", "half_open", "open"]);
  });
  test("a success in between starts the count anew", () => {
    const { states, attempt } = setup();
    for (const failure of [down, down, undefined, down, down]) attempt(0, failure);
    assert.deepEqual(states, []);
  });
  test("an alert that is refused and a batch taken in part show a living destination", () => {
    for (const alive of [refused, partly]) {
      const { states, attempt } = setup();
      for (const failure of [down, down, alive, down, down]) attempt(0, failure);
      assert.deepEqual(states, []);
    }
  });
  test("a bug of ours proves nothing: the probe is made again", () => {
    const { gate, attempt } = setup();
    for (const failure of [down, bug, down, bug, down]) attempt(0, failure);
    assert.equal(gate.state(0), "open");
    attempt(1000, bug);
    assert.deepEqual([gate.state(1000), gate.wait(1000)], ["half_open", 0]);
  });
  test("failures of attempts that were in flight when it opened do not prolong it", () => {
    const { gate } = setup();
    for (let i = 0; i < 5; i += 1) gate.enter?.(0, 1);
    for (let i = 0; i < 5; i += 1) gate.leave?.(i * 100, down);
    assert.equal(gate.wait(400), 800);
  });
});

describe("proxy of the environment", () => {
  const env = {
    http: "http://p:1",
    https: "q:2",
    no: "a.test, .sub.test,10.0.0.0/8, 192.168.1.1,b.test:8080,[::2],fd00::/8",
  };
  for (const [target, proxy] of [
    ["http://x.test/", "http://p:1"],
    ["https://x.test/", "http://q:2"],
    ["http://a.test/", undefined],
    ["http://www.A.test/", undefined],
    ["http://nota.test/", "http://p:1"],
    ["http://sub.test/", "http://p:1"],
    ["http://a.sub.test/", undefined],
    ["http://10.200.3.4/", undefined],
    ["http://11.0.0.1/", "http://p:1"],
    ["http://192.168.1.1/", undefined],
    ["http://b.test/", "http://p:1"],
    ["http://b.test:8080/", undefined],
    ["http://[::2]/", undefined],
    ["http://[fd00::7]/", undefined],
    ["http://[fe00::7]/", "http://p:1"],
    ["http://localhost:99/", undefined],
    ["http://127.9.9.9/", undefined],
    ["https://[::1]/", undefined],
  ] as const)
    test(`${target} goes ${proxy ? "through it" : "directly"}`, () =>
      assert.equal(proxyFor(new URL(target), env), proxy));

  test("a star spares every host, and no variable means no proxy", () => {
    assert.equal(proxyFor(new URL("http://x.test"), { http: "http://p", no: "*" }), undefined);
    assert.equal(proxyFor(new URL("https://x.test"), { http: "http://p" }), undefined);
  });
});
