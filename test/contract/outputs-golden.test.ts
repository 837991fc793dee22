import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, it } from "node:test";
import { outputs } from "../../outputs/index.ts";
import { deliberate } from "../support/deliberate.ts";
import type { Deliberate } from "../support/deliberate-shape.ts";
import { problemsOf } from "../support/golden-hub.ts";
import { type GoldenCase, goldenCases, goldenShape, replay, type Shape } from "../support/golden-replay.ts";

/** Not falcosidekick's, or compared in a suite of its own (mails are read, not matched). */
const withoutGolden = new Set(["file", "stdout"]);

const byPath = (shapes: readonly Shape[]) => shapes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
/** Alertmanager's hosts are sent to at once; elsewhere the order counts. */
const ordered = (golden: GoldenCase, shapes: readonly Shape[]) =>
  golden.output === "alertmanager" ? byPath(shapes) : shapes;

const fileOf = (output: string): string => output.replaceAll(".", "-");
const differencesOf = (golden: GoldenCase): readonly Deliberate[] =>
  (deliberate.get(fileOf(golden.output)) ?? []).filter(({ cases }) => cases.test(golden.name));

const table: { output: string; cases: number; equal: number; deliberate: number; failing: number }[] = [];
/** `output: reason` */
const used = new Set<string>();

for (const { name } of outputs) {
  if (withoutGolden.has(name)) continue;
  describe(`${name} sends what falcosidekick sent`, () => {
    const cases = goldenCases(name);
    const row = { output: name, cases: cases.length, equal: 0, deliberate: 0, failing: cases.length };
    table.push(row);
    for (const golden of cases) {
      const none = differencesOf(golden).find(({ off }) => off !== undefined);
      if (none) {
        used.add(`${fileOf(name)}: ${none.reason}`);
        it(`${golden.name}, but ${none.reason}`, () => {
          const { on, said } = problemsOf(name, golden.config, golden.env);
          assert.deepEqual({ on, said }, { on: false, said: [none.off] });
          row.failing -= 1;
          row.deliberate += 1;
        });
        continue;
      }
      const { wanted, reasons, settings } = expected(golden, differencesOf(golden));
      const { wanted: asBefore, reasons: left } = expected(
        golden,
        differencesOf(golden).filter((difference) => !difference.without),
      );
      if (settings)
        it(`${golden.name}, with ${JSON.stringify(settings)}${left.length > 0 ? ` but ${left.join("; ")}` : ""}`, async () => {
          assert.deepEqual(ordered(golden, await replay(golden, settings)), ordered(golden, asBefore));
        });
      it(reasons.length === 0 ? golden.name : `${golden.name}, but ${reasons.join("; ")}`, async () => {
        assert.deepEqual(ordered(golden, await replay(golden)), ordered(golden, wanted));
        row.failing -= 1;
        if (reasons.length === 0) row.equal += 1;
        else row.deliberate += 1;
      });
    }
  });
}

/** What is to be sent for a case, why it is not what falcosidekick sent, and the settings that undo what can be undone. */
function expected(golden: GoldenCase, differences: readonly Deliberate[]) {
  let wanted = golden.requests.map(goldenShape);
  const reasons: string[] = [];
  let settings: Readonly<Record<string, unknown>> | undefined;
  for (const difference of differences) {
    const next = [
      ...wanted.map((shape) => difference.becomes(shape, golden)),
      ...(difference.adds?.(golden) ?? []).map(goldenShape),
    ];
    if (!sameAs(next, wanted)) {
      used.add(`${fileOf(golden.output)}: ${difference.reason}`);
      reasons.push(difference.reason);
      if (difference.without) settings = { ...settings, ...difference.without };
    }
    wanted = next;
  }
  return { wanted, reasons, settings };
}

it("has no deliberate difference that no case shows, nor one without its page", () => {
  const names = new Set(outputs.map(({ name }) => fileOf(name)));
  for (const [output, entries] of deliberate) {
    assert.ok(names.has(output), `${output} is no output`);
    for (const { reason, page } of entries) {
      assert.ok(used.has(`${output}: ${reason}`), `${output}: ${reason}`);
      assert.ok(existsSync(new URL(`../../decisions/${page}`, import.meta.url)), page);
    }
  }
});

function sameAs(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

after(() => console.table(table));
