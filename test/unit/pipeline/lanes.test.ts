import assert from "node:assert/strict";
import { test } from "node:test";
import { readHouse } from "../../../scripts/house/modules.ts";
import { alertLane, eventLane, frontLanes, lanesOf, outputLane, outputOfLane } from "../../../src/pipeline/lanes.ts";

test("a lane tells whose it is, whatever the output is called", () => {
  for (const id of ["slack", "webhook.a b", "out:x", ""]) assert.equal(outputOfLane(outputLane(id)), id);
  for (const lane of frontLanes) assert.equal(outputOfLane(lane), undefined);
  assert.deepEqual(lanesOf([{ id: "a" }, { id: "b.c" }]), [alertLane, eventLane, "out:a", "out:b.c"]);
});

test("no other file of the program spells the lane of an output", () => {
  const spelling = /["'`^]out:/;
  const found = readHouse().filter(({ text }) => spelling.test(text));
  assert.deepEqual(
    found.map(({ path }) => path),
    ["src/pipeline/lanes.ts"],
  );
});
