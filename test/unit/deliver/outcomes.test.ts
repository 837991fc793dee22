import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeliverySettings } from "../../../src/config/types.ts";
import type { Attempt, Kept, OutcomeListener, Settled } from "../../../src/deliver/outcomes.ts";
import { told } from "../../../src/deliver/told-attempt.ts";
import type { Verdict } from "../../../src/deliver/verdict.ts";
import { type AlertFault, failures } from "../../../src/sdk/failures.ts";
import type { Output } from "../../../src/sdk/output.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { clientOutput, hookOutput, instanceOf, makeAlert, type Rig } from "../../fakes/delivery.ts";
import { numbered, rigsOfFile } from "../../support/rigs.ts";

const { newSink, newRig } = rigsOfFile();

interface Heard {
  readonly attempts: Attempt[];
  readonly kept: Kept[];
  readonly settled: Settled[];
  /** One line an event, with its alerts as they were when it was told. */
  readonly lines: string[];
}

const said = (verdict: Verdict): string => (verdict.kind === "ack" ? "ack" : `${verdict.kind} ${verdict.reason}`);

/** Writes down what it is told. */
const listening = (): { readonly heard: Heard; readonly listener: OutcomeListener } => {
  const heard: Heard = { attempts: [], kept: [], settled: [], lines: [] };
  const listener: OutcomeListener = {
    name: "test",
    attempted: (attempt) => {
      heard.attempts.push(attempt);
      const alerts = attempt.each().map(({ lane, chunk, uuid, attempt: n, failure }) => {
        return `${lane}/${chunk}/${uuid} ${n} ${failure?.reason ?? "taken"}`;
      });
      heard.lines.push(`attempt: ${alerts.join(", ")}`);
    },
    kept: (kept) => {
      heard.kept.push(kept);
      heard.lines.push(`kept: ${kept.lane}/${kept.chunk}/${kept.uuid} ${kept.attempt} ${kept.reason} ${kept.inMs}`);
    },
    settled: (settled) => {
      heard.settled.push(settled);
      const alerts = settled
        .each()
        .map(({ lane, chunk, uuid, verdict }) => `${lane}/${chunk}/${uuid} ${said(verdict)}`);
      heard.lines.push(`settled after ${settled.attempts}: ${alerts.join(", ")}`);
    },
  };
  return { heard, listener };
};

const rigOf = async (output: Output, delivery: Partial<DeliverySettings> = {}) => {
  const { heard, listener } = listening();
  const rig = await newRig(instanceOf(output, delivery), undefined, [listener]);
  return { heard, rig };
};

const refusing = (faults: () => readonly AlertFault[]): Output => ({
  ...clientOutput(() => ({ send: async () => failures(faults(), (reason) => `refused: ${reason}`) })),
  batch: { items: 10 },
});

/** Hands the item out again until it is settled for good. */
const toTheEnd = async (rig: Rig, alerts: ReturnType<typeof numbered>, passMs = 0): Promise<void> => {
  let item = rig.item(alerts);
  for (let round = 0; round < 10; round += 1) {
    const settlement = await rig.delivery.handle(item);
    if (!settlement.retry) return;
    await rig.pass(passMs);
    item = rig.again(item, settlement);
  }
};

describe("outcomes", () => {
  test("each attempt is told with the alerts it was made with, and then the verdict on each", async () => {
    const sink = await newSink();
    sink.next({ status: 503 });
    const { heard, rig } = await rigOf(hookOutput(sink.url, { batch: { items: 10 } }));
    await toTheEnd(rig, [makeAlert("a"), makeAlert("b")]);
    assert.deepEqual(heard.lines, [
      "attempt: out:hook/item-1/a 1 server_error, out:hook/item-1/b 1 server_error",
      "settled after 1: out:hook/item-1/a retry server_error, out:hook/item-1/b retry server_error",
      "attempt: out:hook/item-1/a 2 taken, out:hook/item-1/b 2 taken",
      "settled after 2: out:hook/item-1/a ack, out:hook/item-1/b ack",
    ]);
    const [failed, worked] = heard.attempts;
    assert.deepEqual([failed?.output, failed?.alerts, failed?.taken], ["hook", 2, 0]);
    assert.deepEqual([failed?.failure?.status, failed?.failure?.message], [503, "HTTP 503"]);
    assert.deepEqual([worked?.taken, worked?.failure], [2, undefined]);
    assert.ok(heard.attempts.every(({ ms }) => ms >= 0));
    assert.equal(heard.settled[1]?.verdicts, undefined);
  });

  test("an attempt joins alerts of several chunks, and each chunk is settled by itself", async () => {
    const sink = await newSink();
    const { heard, rig } = await rigOf(hookOutput(sink.url, { batch: { items: 10 } }));
    await Promise.all([rig.item([makeAlert("a")]), rig.item([makeAlert("a")])].map(rig.delivery.handle));
    assert.deepEqual(heard.lines, [
      "attempt: out:hook/item-1/a 1 taken, out:hook/item-2/a 1 taken",
      "settled after 1: out:hook/item-1/a ack",
      "settled after 1: out:hook/item-2/a ack",
    ]);
  });

  test("a batch that is taken in part names those that failed, each with what was said of it", async () => {
    const faults: readonly AlertFault[] = [
      { index: 1, reason: "invalid", retryable: false, said: "no such field" },
      { index: 3, reason: "invalid", retryable: true, said: "not now" },
    ];
    const { heard, rig } = await rigOf(refusing(() => faults));
    await rig.delivery.handle(rig.item(numbered(4)));
    assert.deepEqual(
      heard.attempts[0]?.each().map(({ uuid, failure }) => [uuid, failure?.message]),
      [
        ["0", undefined],
        ["1", "no such field"],
        ["2", undefined],
        ["3", "not now"],
      ],
    );
    assert.deepEqual([heard.attempts[0]?.taken, heard.attempts[0]?.failure?.status], [2, undefined]);
    assert.deepEqual(
      heard.settled[0]?.each().map(({ verdict }) => said(verdict)),
      ["ack", "dead invalid", "ack", "retry invalid"],
    );
  });

  test("alerts are given up after as many attempts as they may have, and at the age they may reach", async () => {
    const sink = await newSink();
    sink.always({ status: 500 });
    const often = await rigOf(hookOutput(sink.url), { retry: { initialMs: 1, maxMs: 1, maxAttempts: 3 } });
    await toTheEnd(often.rig, numbered(1));
    assert.equal(often.heard.attempts.length, 3);
    const { verdict } = often.heard.settled.at(-1)?.each()[0] ?? {};
    assert.deepEqual(verdict, {
      kind: "dead",
      reason: "server_error",
      why: "server_error: HTTP 500; given up after 3 attempts",
    });
    const old = await rigOf(hookOutput(sink.url), { retry: { initialMs: 1, maxMs: 1, maxAgeMs: 60_000 } });
    await toTheEnd(old.rig, numbered(1), 40_000);
    assert.equal(old.heard.attempts.length, 3);
    assert.match(JSON.stringify(old.heard.settled.at(-1)?.verdicts), /given up at the age of 80 s/);
  });

  test("a chunk that cannot be read is given up and counted, though nobody knows its alerts", async () => {
    const { heard, rig } = await rigOf(hookOutput("http://127.0.0.1:9"));
    await rig.delivery.handle({ ...rig.item(numbered(3)), body: "{" });
    assert.deepEqual(heard.lines, ["settled after 0: "]);
    assert.equal(heard.settled[0]?.alerts, 3);
    assert.ok(rig.counted.includes("dead bug 3"));
  });

  test("what waits in hand where an order is kept is told each time it is to go again", async () => {
    const sink = await newSink();
    sink.next({ status: 503 });
    const { heard, rig } = await rigOf(hookOutput(sink.url, { ordered: "stream" }));
    const handled = rig.delivery.handle(rig.item([makeAlert("a")]));
    await sink.received(1);
    while (heard.kept.length === 0) await new Promise(setImmediate);
    await rig.clock.pass(1000);
    await handled;
    assert.deepEqual(heard.lines, [
      "attempt: out:hook/item-1/a 1 server_error",
      "kept: out:hook/item-1/a 1 server_error 1000",
      "attempt: out:hook/item-1/a 2 taken",
      "settled after 2: out:hook/item-1/a ack",
    ]);
    assert.ok(rig.counted.includes("retried server_error 1"));
  });

  test("an answer that tells of failures has its status, a time limit has none", async () => {
    const sink = await newSink();
    const accept = (): void => failures([{ index: 0, reason: "invalid", retryable: false }], () => "no");
    const inside = await rigOf(hookOutput(sink.url, { accept }));
    await inside.rig.delivery.handle(inside.rig.item(numbered(1)));
    assert.equal(inside.heard.attempts[0]?.failure?.status, 200);
    sink.always({ fault: "hang" });
    const silent = await rigOf(hookOutput(sink.url), { timeoutMs: 1000 });
    const handled = silent.rig.delivery.handle(silent.rig.item(numbered(1)));
    await sink.received(2);
    await silent.rig.clock.pass(1000);
    await handled;
    const [attempt] = silent.heard.attempts;
    assert.deepEqual([attempt?.failure?.reason, attempt?.failure?.status, attempt?.ms], ["timeout", undefined, 1000]);
  });
});

describe("a listener that fails", () => {
  const fails = (): never => {
    throw new Error("canary-listener");
  };
  const asynchronous = async (): Promise<void> => fails();

  for (const [name, how] of [
    ["throws", fails],
    ["rejects", asynchronous],
  ] as const)
    test(`by what it ${name} changes no delivery, is counted each time and logged once`, async () => {
      const sink = await newSink();
      sink.next({ status: 503 });
      const bad: OutcomeListener = { name: "ledger", attempted: how, settled: how };
      const { heard, listener } = listening();
      const rig = await newRig(instanceOf(hookOutput(sink.url)), undefined, [bad, listener]);
      await toTheEnd(rig, [makeAlert("a")]);
      await new Promise(setImmediate);
      assert.equal(sink.count(), 2);
      assert.equal(heard.lines.length, 4, "the others hear all of it");
      assert.deepEqual(
        rig.counted.filter((line) => line === "failed ledger"),
        Array(4).fill("failed ledger"),
      );
      const logged = rig.lines.filter((line) => line.includes("a listener of outcomes failed"));
      assert.equal(logged.length, 1);
      assert.doesNotMatch(logged[0] ?? "", /canary/);
      assert.match(logged[0] ?? "", /"listener":"ledger"/);
    });

  test("on no alert's account: where nobody asks for single alerts, none is looked at", async () => {
    const outcomes = { attempted: () => {}, kept: () => {}, settled: () => {} };
    const { log } = { log: { error: () => {} } } as unknown as { log: Parameters<typeof told>[0]["log"] };
    const teller = { outcomes, output: "hook", clock: fakeClock(), log, mask: String, postponed: () => 0 };
    const attempt = told(teller, async () => {});
    const nobody = () => assert.fail("nobody asked who they are");
    assert.equal(await attempt([makeAlert("a"), makeAlert("b")], [0, 0], nobody), undefined);
  });
});
