import assert from "node:assert/strict";
import { test } from "node:test";
import { castsByRoom, longFunctions, undocumented } from "../../scripts/house/measures.ts";
import { readHouse, readModule } from "../../scripts/house/modules.ts";

const house = readHouse();

/** Casts that are there, by room. Fewer: write the smaller figure here. */
const casts: Readonly<Record<string, number>> = {
  outputs: 22,
  sources: 9,
  "src/audit": 17,
  "src/cli": 32,
  "src/config": 1,
  "src/deliver": 5,
  "src/http": 21,
  "src/json": 16,
  "src/log": 1,
  "src/main.ts": 1,
  "src/metrics": 7,
  "src/names": 6,
  "src/pipeline": 15,
  "src/queue": 79,
  "src/rules": 22,
  "src/sdk": 65,
};

/** Lines that a function may have: what is longer holds two ideas. */
const mostLines = 80;

test("casts do not become more", () => {
  const now = Object.fromEntries(castsByRoom(house));
  const more = Object.entries(now).filter(([room, count]) => count > (casts[room] ?? 0));
  assert.deepEqual(more, []);
});

test("no function is longer than 80 lines", () => {
  assert.deepEqual(
    longFunctions(house, mostLines).map(({ place, lines }) => `${place} ${lines}`),
    [],
  );
});

test("every export of the contracts says what it is", () => {
  const { total, places } = undocumented(house.filter(({ path }) => path.startsWith("src/sdk/")));
  assert.ok(total > 200);
  assert.deepEqual(places, []);
});

test("the figures see what they count", () => {
  const [self] = [readModule("test/unit/stats.test.ts")];
  assert.ok(longFunctions([self], 2).some(({ lines }) => lines > 3));
  assert.ok(castsByRoom([readModule("test/support/random.ts"), self]).size > 0);
  assert.equal(undocumented([readModule("scripts/house/cycles.ts")]).places.length, 0);
});
