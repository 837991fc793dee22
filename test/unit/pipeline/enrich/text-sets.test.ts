import assert from "node:assert/strict";
import { test } from "node:test";
import { createTextSets, type TextSets } from "../../../../src/pipeline/enrich/text-sets.ts";
import { seeded } from "../../../support/random.ts";

type Texts = Readonly<Record<string, string | readonly string[]>>;

test("equal sets are one, without a prototype, as long as somebody uses it", () => {
  const sets = createTextSets<Texts>();
  const one = sets.keep({ app: "web", uids: ["a", "b"] });
  const two = sets.keep({ app: "web", uids: ["a", "b"] });
  assert.equal(one, two);
  assert.equal(Object.getPrototypeOf(one), null);
  assert.deepEqual({ ...one }, { app: "web", uids: ["a", "b"] });
  for (const other of [{ app: "web", uids: ["ab"] }, { app: "web", uids: "a" }, { app: "web" }, { ap: "pweb" }, {}])
    assert.notEqual(sets.keep(other), one);
  sets.release(one);
  assert.equal(sets.keep({ app: "web", uids: ["a", "b"] }), one);
});

test("names of the engine's own are names like others", () => {
  const sets = createTextSets<Texts>();
  const hostile = Object.assign(Object.create(null), { constructor: "c" });
  Object.defineProperty(hostile, "__proto__", { value: "p", enumerable: true });
  const kept = sets.keep(hostile);
  assert.deepEqual(Object.entries(kept), [
    ["constructor", "c"],
    ["__proto__", "p"],
  ]);
});

const leavesNothing = (sets: TextSets<Texts>): void => {
  const random = seeded(7);
  // Short texts of few letters: many are equal, many are not.
  const make = (): Texts => {
    const keys = Array.from({ length: Math.floor(random() * 3) }, () => "ab"[Math.floor(random() * 2)] ?? "");
    return Object.fromEntries(
      keys.map((key) => [key, random() < 0.5 ? "x" : ["x", "y"].slice(Math.floor(random() * 3))]),
    );
  };
  const held: Texts[] = [];
  for (let n = 0; n < 5000; n++) {
    if (random() < 0.5 || held.length === 0) held.push(sets.keep(make()));
    else sets.release(held.splice(Math.floor(random() * held.length), 1)[0] ?? {});
  }
  assert.equal(sets.size(), new Set(held).size);
  for (const set of held) sets.release(set);
  assert.deepEqual([sets.bytes(), sets.size()], [0, 0]);
};

test("random keeping and releasing leaves neither bytes nor sets", () => {
  leavesNothing(createTextSets());
});

test("when somebody made all sets to have one number, each user beyond some keeps its own", () => {
  const sets = createTextSets<Texts>(() => 1);
  for (let n = 0; n < 100; n++) sets.keep({ n: `${n}` });
  assert.notEqual(sets.keep({ n: "99" }), sets.keep({ n: "99" }));
  assert.equal(sets.keep({ n: "0" }), sets.keep({ n: "0" }));
  leavesNothing(createTextSets(() => 1));
});
