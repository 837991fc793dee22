/** What an alert costs grows by rows with its lanes, not by statements. */

import assert from "node:assert/strict";
import { StatementSync } from "node:sqlite";
import { test } from "node:test";
import { folder, open } from "../../../support/queue-embedded.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { until } from "../../../support/until.ts";

test("an alert for 500 lanes, pushed, asked about and settled in all of them, takes hardly more statements than one for 10", async (t) => {
  let statements = 0;
  const methods = ["run", "get", "all"] as const;
  const real = Object.fromEntries(methods.map((name) => [name, StatementSync.prototype[name]]));
  t.after(() => Object.assign(StatementSync.prototype, real));
  for (const name of methods) {
    const call = real[name] as (...args: unknown[]) => unknown;
    Object.assign(StatementSync.prototype, {
      [name](this: StatementSync, ...args: unknown[]) {
        statements++;
        return call.apply(this, args);
      },
    });
  }
  const costOf = async (count: number): Promise<number> => {
    const queue = open(folder(t));
    const lanes = Array.from({ length: count }, (_, i) => `out:o${i}`);
    const push = (id: string) => queue.push(lanes.map((lane) => chunk(lane, id, "one body")));
    let go = (): void => {};
    let written = Promise.resolve();
    const { items, handle } = recorder(async () => {
      await written;
      return {};
    });
    await push("first");
    for (const lane of lanes) queue.consume(lane, handle, 1);
    await until("the lanes are open", () => items.length === count);
    await queue.depth("out:o0");
    written = new Promise((resolve) => (go = resolve));
    statements = 0;
    await push("second");
    go();
    await until("all lanes have it", () => items.length === 2 * count);
    await until("settled", async () =>
      (await Promise.all(lanes.map((lane) => queue.depth(lane)))).every((d) => d.active === 0),
    );
    const cost = statements;
    await queue.close();
    return cost;
  };
  const costs: number[] = [];
  for (const lanes of [1, 10, 100, 500]) costs.push(await costOf(lanes));
  t.diagnostic(`statements with 1, 10, 100 and 500 lanes: ${costs.join(", ")}`);
  assert.ok((costs[3] as number) <= 3 * (costs[1] as number), costs.join());
});
