import assert from "node:assert/strict";
import { test } from "node:test";
import { createAges } from "../../../src/deliver/age.ts";

const hour = 3_600_000;

const clocks = () => {
  const time = { wall: 1_800_000_000_000, ticks: 5000 };
  const ages = createAges(
    () => time.wall,
    () => time.ticks,
  );
  const pass = (ms: number) => {
    time.wall += ms;
    time.ticks += ms;
    ages.look();
  };
  return { time, ages, pass };
};

test("an age is the time that passed, and before the start what the wall clock says", () => {
  const { time, ages, pass } = clocks();
  const at = time.wall;
  pass(1234);
  assert.equal(ages.of(at), 1234);
  assert.equal(ages.of(at - hour), hour + 1234);
  assert.equal(ages.of(time.wall), 0);
});

test("a clock that is set on makes nothing older, one that is set back nothing younger", () => {
  for (const jump of [hour, -hour]) {
    const { time, ages, pass } = clocks();
    const early = time.wall - 60_000;
    const before = time.wall;
    pass(10_000);
    time.wall += jump;
    pass(10_000);
    const after = time.wall;
    pass(10_000);
    assert.deepEqual([ages.of(early), ages.of(before), ages.of(after)], [90_000, 30_000, 10_000], `${jump}`);
  }
});

test("of two moments that the wall clock showed alike, the later one counts: nothing is given up too soon", () => {
  const { time, ages, pass } = clocks();
  const first = time.wall;
  pass(hour);
  time.wall = first;
  pass(1000);
  assert.equal(ages.of(first), 1000);
  assert.equal(ages.of(first + hour / 2), hour / 2 + 1000);
});

test("what was accepted between a jump and the look that found it is as old as it is", () => {
  const { time, ages, pass } = clocks();
  pass(60_000);
  time.wall += hour;
  const at = time.wall;
  pass(700);
  pass(300);
  assert.equal(ages.of(at), 1000);
});

test("clocks that differ by little, and those of other machines, make nothing old after a jump", () => {
  for (const jump of [hour, -hour]) {
    const { time, ages, pass } = clocks();
    pass(60_000);
    time.wall += jump;
    pass(60_000);
    for (const ahead of [0.4, 400, 2 * hour]) assert.equal(ages.of(time.wall + ahead), 0, `${jump} ${ahead}`);
  }
});

test("a time that is yet to come has no age, however many jumps there were", () => {
  const { time, ages, pass } = clocks();
  const start = time.wall;
  assert.equal(ages.of(start + hour), 0);
  for (let n = 0; n < 500; n++) {
    time.wall += n % 2 ? hour : -hour;
    pass(1000);
  }
  assert.equal(ages.of(start - hour), hour + 500_000);
});
