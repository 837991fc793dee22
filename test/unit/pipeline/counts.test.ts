import assert from "node:assert/strict";
import { test } from "node:test";
import { readHouse } from "../../../scripts/house/modules.ts";

test("alerts and events are counted by one file", () => {
  const counting = /\bmetrics\.(?:event|input|intakeRejected|ruleMatch|eventNotJudged)\(/;
  const found = readHouse().filter(({ text }) => counting.test(text));
  assert.deepEqual(
    found.map(({ path }) => path),
    ["src/pipeline/counts.ts"],
  );
});
