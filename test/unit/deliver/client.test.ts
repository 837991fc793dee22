import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DeliveryError } from "../../../src/sdk/errors.ts";
import type { Host } from "../../../src/sdk/output.ts";
import { settled } from "../../fakes/clock.ts";
import { clientOutput, instanceOf, makeAlert } from "../../fakes/delivery.ts";
import { rigsOfFile } from "../../support/rigs.ts";

const { newSink, newRig } = rigsOfFile();

describe("an output with a client of its own", () => {
  const down = (): never => {
    throw Object.assign(new Error("canary"), { code: "ECONNRESET" });
  };

  test("is opened before its first alert, once, and closed at the end", async () => {
    const told: string[] = [];
    const output = clientOutput(() => {
      told.push("open");
      return {
        send: async (alerts) => void told.push(`send ${alerts[0].uuid}`),
        close: async () => void told.push("close"),
      };
    });
    const rig = await newRig(instanceOf(output));
    assert.deepEqual(told, ["open"]);
    await rig.delivery.handle(rig.item([makeAlert("a"), makeAlert("b")]));
    await rig.delivery.close(1000);
    assert.deepEqual(told, ["open", "send a", "send b", "close"]);
  });

  test("is opened anew after its connection broke, and the broken one closed; a refusal breaks nothing", async () => {
    const told: string[] = [];
    let opened = 0;
    const output = clientOutput(() => {
      opened += 1;
      const mine = opened;
      return {
        send: async (alerts) => {
          if (alerts[0].uuid === "refuse") throw new DeliveryError("no", { reason: "invalid", retryable: false });
          if (mine === 1) down();
        },
        close: async () => void told.push(`close ${mine}`),
      };
    });
    const rig = await newRig(instanceOf(output));
    await rig.delivery.handle(rig.item([makeAlert("refuse")]));
    assert.equal(opened, 1);
    const item = rig.item([makeAlert("a")]);
    const settlement = await rig.delivery.handle(item);
    assert.deepEqual(told, ["close 1"]);
    assert.deepEqual(await rig.delivery.handle(rig.again(item, settlement)), {});
    assert.equal(opened, 2);
    assert.doesNotMatch(rig.lines.join(), /canary/);
  });

  test("that cannot be opened keeps its alerts until it can", async () => {
    let opened = 0;
    const output = clientOutput(async () => {
      opened += 1;
      if (opened < 3) down();
      return { send: async () => {} };
    });
    const rig = await newRig(instanceOf(output));
    await settled();
    assert.match(rig.lines.join(), /cannot open yet: connection failed \(ECONNRESET\)/);
    const item = rig.item([makeAlert("a")]);
    const settlement = await rig.delivery.handle(item);
    assert.equal(settlement.retry?.count, 1);
    assert.deepEqual(await rig.delivery.handle(rig.again(item, settlement)), {});
  });

  test("whose opening or sending hangs is given up at the time limit, and closed should it open after all", async () => {
    const told: string[] = [];
    const late = Promise.withResolvers<void>();
    let opened = 0;
    const output = clientOutput(async () => {
      opened += 1;
      const mine = opened;
      if (mine === 1) await late.promise;
      return {
        send: () => (mine === 2 ? new Promise(() => {}) : Promise.resolve()),
        close: async () => void told.push(`close ${mine}`),
      };
    });
    const rig = await newRig(instanceOf(output));
    let item = rig.item([makeAlert("a")]);
    for (const _ of [1, 2]) {
      const attempt = rig.delivery.handle(item);
      await rig.clock.pass(10_000);
      item = rig.again(item, await attempt);
    }
    assert.deepEqual(await rig.delivery.handle(item), {});
    assert.deepEqual([opened, ...told], [3, "close 2"]);
    late.resolve();
    await settled();
    assert.deepEqual(told, ["close 2", "close 1"]);
    assert.equal(rig.clock.timers(), 0);
  });

  test("runs its check at start before the first alert; a check that fails or hangs stops nothing", async () => {
    for (const check of [async () => {}, async () => down(), () => new Promise<void>(() => {})]) {
      const told: string[] = [];
      const output = clientOutput(() => ({
        start: () => {
          told.push("start");
          return check();
        },
        send: async () => void told.push("send"),
      }));
      const rig = await newRig(instanceOf(output));
      const result = rig.delivery.handle(rig.item([makeAlert("a")]));
      await rig.clock.pass(5000);
      assert.deepEqual(await result, {});
      assert.deepEqual(told, ["start", "send"]);
    }
  });

  test("is lent HTTP over its own pool, the time, a log and TLS with the private CA beside the usual ones", async () => {
    const sink = await newSink();
    let host: Host | undefined;
    const output = clientOutput((_, lent) => {
      host = lent;
      return { send: async (_alerts, signal) => void (await lent.http({ url: sink.url, body: "x" }, signal)) };
    });
    const rig = await newRig(instanceOf(output, {}, { rejectUnauthorized: true, ca: "PRIVATE" }));
    assert.deepEqual(await rig.delivery.handle(rig.item([makeAlert("a")])), {});
    assert.equal(sink.count(), 1);
    assert.equal(host?.now(), rig.now);
    assert.match(host?.tls.ca ?? "", /BEGIN CERTIFICATE[\s\S]*PRIVATE$/);
  });
});
