import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openBatcher } from "../../../src/deliver/batcher.ts";
import { concurrency } from "../../../src/deliver/concurrency.ts";
import type { Failure } from "../../../src/deliver/failure.ts";
import { every, type Gate } from "../../../src/deliver/gate.ts";
import { limit } from "../../../src/deliver/limit.ts";
import type { Outcome } from "../../../src/deliver/tickets.ts";
import { openHandling } from "../../../src/queue/handling.ts";
import type { Queue } from "../../../src/queue/queue.ts";
import type { Alert } from "../../../src/sdk/alert.ts";
import type { Batch } from "../../../src/sdk/output.ts";
import { fakeClock, settled } from "../../fakes/clock.ts";

const alert = (uuid: string): Alert => ({
  uuid,
  time: "2026-11-21T12:00:00Z",
  rule: "r",
  priority: "Notice",
  source: "syscall",
  output: "o",
  tags: [],
  output_fields: {},
  added: [],
});
const alerts = (...names: readonly string[]): Alert[] => names.map(alert);
const numbered = (count: number): Alert[] => Array.from({ length: count }, (_, i) => alert(String(i)));
const kinds = (outcomes: readonly Outcome[]): string => outcomes.map((one) => one.kind).join(" ");

/** A batcher whose attempts end when the test says so. */
const setup = (limits?: Batch, gates: readonly Gate[] = [concurrency(1)], during?: Queue["during"]) => {
  const clock = fakeClock();
  const flights: { readonly names: string; readonly end: (failure?: Failure) => void }[] = [];
  const batcher = openBatcher({
    limits,
    gate: every(gates),
    clock,
    ...(during && { during }),
    weigh: (one) => one.uuid.length,
    attempt: (batch) =>
      new Promise((resolve) => {
        flights.push({ names: batch.map((one) => one.uuid).join(" "), end: (failure) => resolve(failure) });
      }),
  });
  const end = async (failure?: Failure): Promise<void> => {
    flights.shift()?.end(failure);
    await settled();
  };
  return { clock, flights, batcher, end, names: () => flights.map((flight) => flight.names) };
};

const refused: Failure = { reason: "client_error", retryable: false, message: "HTTP 400" };
const down: Failure = { reason: "network", retryable: true, message: "down" };

describe("batches", () => {
  test("an item that a process died of shares no request, and the marks name whose alerts are mapped", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "eyrie-handling-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const file = join(dir, "handling");
    const handling = openHandling(file);
    const marked: string[] = [];
    const { batcher, names, end } = setup({ items: 10 }, [concurrency(1)], (items, work) =>
      handling.during(items, () => {
        const result = work();
        // What a process that died here would leave to the next.
        marked.push(
          openHandling(file)
            .found.map(({ id }) => id)
            .join(" "),
        );
        return result;
      }),
    );
    const item = (id: string, alone?: true) => ({ lane: "out:x", id, at: 0, ...(alone && { alone }) });
    void batcher.deliver(alerts("a", "b"), item("one"));
    void batcher.deliver(alerts("c"), item("two"));
    void batcher.deliver(alerts("d", "e"), item("killer", true));
    void batcher.deliver(alerts("f"), item("three"));
    await settled();
    for (const flight of ["a b c", "d e", "f"]) {
      assert.deepEqual(names(), [flight]);
      await end();
    }
    assert.deepEqual(marked, ["one two", "killer", "three"]);
    assert.deepEqual(openHandling(file).found, []);
  });

  test("items of one turn of the loop share a request, and each gets its own verdicts", async () => {
    const { batcher, names, end } = setup({ items: 10 });
    const [first, second] = [batcher.deliver(alerts("a", "b")), batcher.deliver(alerts("c"))];
    await settled();
    assert.deepEqual(names(), ["a b c"]);
    await end({ reason: "partial", retryable: true, message: "two failed", failed: [0, 2], dead: [2] });
    assert.equal(kinds(await first), "failed taken");
    assert.deepEqual(
      (await second).map((one) => one.kind === "failed" && one.permanent),
      [true],
    );
  });

  test("nothing waits for a batch to fill; batches grow while a request is in flight", async () => {
    const { batcher, names, end } = setup({ items: 3 });
    void batcher.deliver(alerts("a"));
    await settled();
    assert.deepEqual(names(), ["a"]);
    for (const name of ["b", "c", "d", "e"]) void batcher.deliver(alerts(name));
    await settled();
    await end();
    assert.deepEqual(names(), ["b c d"]);
    await end();
    assert.deepEqual(names(), ["e"]);
  });

  test("bytes bound a request, but one alert always goes", async () => {
    const { batcher, names, end } = setup({ items: 100, bytes: 5 });
    void batcher.deliver(alerts("aa", "bb", "cc", "dddddddd", "e"));
    await settled();
    const seen: string[] = [];
    while (names().length > 0) {
      seen.push(...names());
      await end();
    }
    assert.deepEqual(seen, ["aa bb", "cc", "dddddddd", "e"]);
  });

  test("without limits each alert is one request", async () => {
    const { batcher, names } = setup(undefined, [concurrency(3)]);
    void batcher.deliver(alerts("a", "b", "c", "d"));
    await settled();
    assert.deepEqual(names(), ["a", "b", "c"]);
  });

  test("a refused batch is halved until the guilty alert stands alone; the others are taken once", async () => {
    const { batcher, flights } = setup({ items: 8 });
    const result = batcher.deliver(alerts("a", "b", "c", "d", "e", "BAD", "g", "h"));
    const taken: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      await settled();
      const flight = flights.shift();
      if (!flight) break;
      const bad = flight.names.includes("BAD");
      if (!bad) taken.push(...flight.names.split(" "));
      flight.end(bad ? refused : undefined);
    }
    assert.deepEqual(taken.sort(), ["a", "b", "c", "d", "e", "g", "h"]);
    assert.equal(kinds(await result), "taken taken taken taken taken failed taken taken");
  });

  test("a failure that no alert can have caused is not answered with more requests", async () => {
    for (const failure of [down, { ...refused, reason: "auth_error" as const }]) {
      const { batcher, names, end } = setup({ items: 8 });
      const result = batcher.deliver(alerts("a", "b"));
      await settled();
      await end(failure);
      assert.deepEqual(names(), []);
      assert.equal(kinds(await result), "failed failed");
    }
  });

  test("a rate limit bounds the batch too", async () => {
    const clockStart = 0;
    const { batcher, names, end, clock } = setup({ items: 10 }, [
      concurrency(1),
      limit({ perSecond: 2, burst: 3 }, clockStart),
    ]);
    void batcher.deliver(numbered(5));
    await settled();
    assert.deepEqual(names(), ["0 1 2"]);
    await end();
    assert.deepEqual(names(), []);
    await clock.pass(500);
    assert.deepEqual(names(), ["3"]);
  });
});

describe("an item in hand", () => {
  test("goes back to the lane two seconds after its first attempt, without what was sent", async () => {
    const { batcher, end, clock } = setup();
    const result = batcher.deliver(alerts("a", "b", "c", "d"));
    await end();
    await clock.pass(1999);
    await end();
    await clock.pass(1);
    await end();
    assert.equal(kinds(await result), "taken taken taken held");
  });

  test("waits a minute for its turn when nothing can be sent, then tells when to come back", async () => {
    const shut: Gate = { wait: (at) => 100_000 - at };
    const { batcher, clock, flights } = setup(undefined, [shut]);
    const result = batcher.deliver(alerts("a", "b"));
    await clock.pass(59_999);
    assert.equal(batcher.inHand(), 1);
    await clock.pass(1);
    assert.deepEqual(await result, [
      { kind: "held", waitMs: 40_000 },
      { kind: "held", waitMs: 40_000 },
    ]);
    assert.equal(flights.length, 0);
    assert.equal(clock.timers(), 0);
  });

  test("is sent as soon as the gate opens", async () => {
    const shut: Gate = { wait: (at) => Math.max(0, 1000 - at) };
    const { batcher, clock, names } = setup(undefined, [shut]);
    void batcher.deliver(alerts("a"));
    await clock.pass(999);
    assert.deepEqual(names(), []);
    await clock.pass(1);
    assert.deepEqual(names(), ["a"]);
  });

  test("is finished when closing leaves time, handed back when not, and a late success changes nothing", async () => {
    const { batcher, clock, flights } = setup();
    const result = batcher.deliver(alerts("a", "b", "c"));
    const closed = batcher.close(500);
    await settled();
    flights.shift()?.end();
    await clock.pass(500);
    await closed;
    assert.equal(kinds(await result), "taken held held");
    flights.shift()?.end();
    await settled();
    assert.equal(flights.length, 0);
    assert.equal(kinds(await batcher.deliver(alerts("z"))), "held");
  });

  test("no timer is left when all is settled", async () => {
    const { batcher, clock, end } = setup();
    const result = batcher.deliver(alerts("a"));
    await end();
    await result;
    await batcher.close(1000);
    assert.equal(clock.timers(), 0);
  });
});

test("every alert has exactly one outcome, whatever attempts do", async () => {
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  for (let round = 0; round < 30; round += 1) {
    const clock = fakeClock();
    const taken = new Map<string, number>();
    const batcher = openBatcher({
      limits: random() < 0.3 ? undefined : { items: 1 + Math.floor(random() * 9) },
      gate: every([concurrency(1 + Math.floor(random() * 3)), limit({ perSecond: 50, burst: 10 }, 0)]),
      clock,
      weigh: () => 1,
      attempt: async (batch) => {
        await new Promise<void>((resolve) => clock.after(random() * 100, resolve));
        const dice = random();
        const failed = dice < 0.2 ? [0] : [];
        const failure: Failure | undefined =
          dice < 0.2
            ? { reason: "partial", retryable: true, message: "", failed }
            : dice < 0.3
              ? refused
              : dice < 0.4
                ? down
                : undefined;
        if (!failure || failure.failed)
          for (const [i, one] of batch.entries())
            if (!failed.includes(i)) taken.set(one.uuid, (taken.get(one.uuid) ?? 0) + 1);
        return failure;
      },
    });
    const items = Array.from({ length: 20 }, (_, n) =>
      Array.from({ length: Math.floor(random() * 12) }, (_, i) => alert(`${n}.${i}`)),
    );
    const results = Promise.all(items.map((item) => batcher.deliver(item)));
    await clock.pass(60_000);
    for (const [n, outcomes] of (await results).entries()) {
      assert.equal(outcomes.length, items[n]!.length);
      for (const [i, outcome] of outcomes.entries())
        assert.equal(taken.get(`${n}.${i}`) ?? 0, outcome.kind === "taken" ? 1 : 0, `${n}.${i} ${outcome.kind}`);
    }
  }
});
