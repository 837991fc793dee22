import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, it } from "node:test";
import { outputs } from "../../outputs/index.ts";
import { deliberate } from "../support/deliberate.ts";
import { type GoldenCase, goldenCases, goldenShape, replay, type Shape } from "../support/golden-replay.ts";

/** Not falcosidekick's, or compared in a suite of its own (mails are read, not matched). */
const withoutGolden = new Set(["stdout"]);

const byPath = (shapes: readonly Shape[]) => shapes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
/** Alertmanager's hosts are sent to at once; elsewhere the order counts. */
const ordered = (golden: GoldenCase, shapes: readonly Shape[]) =>
  golden.output === "alertmanager" ? byPath(shapes) : shapes;

const differencesOf = (golden: GoldenCase) =>
  deliberate.filter(
    (entry) => (entry.outputs === "all" || entry.outputs.includes(golden.output)) && entry.cases.test(golden.name),
  );

const table: { output: string; cases: number; equal: number; deliberate: number; failing: number }[] = [];
const used = new Set<(typeof deliberate)[number]>();

for (const { name } of outputs) {
  if (withoutGolden.has(name)) continue;
  describe(`${name} sends what falcosidekick sent`, () => {
    const cases = goldenCases(name);
    const row = { output: name, cases: cases.length, equal: 0, deliberate: 0, failing: cases.length };
    table.push(row);
    for (const golden of cases) {
      const known = golden.requests.map(goldenShape);
      let wanted = known;
      const reasons: string[] = [];
      for (const difference of differencesOf(golden)) {
        const next = [
          ...wanted.map((shape) => difference.becomes(shape, golden)),
          ...(difference.adds?.(golden) ?? []).map(goldenShape),
        ];
        if (!sameAs(next, wanted)) {
          used.add(difference);
          reasons.push(difference.reason);
        }
        wanted = next;
      }
      it(reasons.length === 0 ? golden.name : `${golden.name}, but ${reasons.join("; ")}`, async () => {
        assert.deepEqual(ordered(golden, await replay(golden)), ordered(golden, wanted));
        row.failing -= 1;
        if (reasons.length === 0) row.equal += 1;
        else row.deliberate += 1;
      });
    }
  });
}

it("has no deliberate difference that no case shows, nor one without its page", () => {
  for (const entry of deliberate) {
    assert.ok(used.has(entry), entry.reason);
    assert.ok(existsSync(new URL(`../../decisions/${entry.page}`, import.meta.url)), entry.page);
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
