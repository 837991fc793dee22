import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cyclesOf } from "../../scripts/house/cycles.ts";
import { type Import, type Module, readHouse, root } from "../../scripts/house/modules.ts";
import { roomOf, rooms } from "../../scripts/house/rooms.ts";

const house = readHouse();

/** `file → target` for every import that the rule forbids. */
const offences = (forbidden: (i: Import, module: Module) => boolean): string[] =>
  house.flatMap((module) =>
    module.imports.filter((i) => forbidden(i, module)).map((i) => `${module.path} → ${i.target}`),
  );

test("the walk sees the imports it is to judge", () => {
  const seen = house.filter(({ path }) => /^src\/(config\/load|queue\/folder-faults|sdk\/aws)\.ts$/.test(path));
  const imports = seen.flatMap((module) => module.imports);
  const has = (target: string, kind: Partial<Import> = {}) =>
    imports.some((i) => i.target === target && Object.entries(kind).every(([k, v]) => i[k as keyof Import] === v));
  assert.ok(has("src/config/tree.ts", { own: true }) && has("node:fs", { typeOnly: false }));
  assert.ok(has("@aws-sdk/client-sts", { lazy: true }));
  assert.ok(imports.some((i) => i.own && i.typeOnly));
});

test("every import of our own names a file that exists", () => {
  assert.deepEqual(
    offences((i) => i.own && !existsSync(join(root, i.target))),
    [],
  );
});

test("every file is in a room, and imports only what its room may", () => {
  assert.deepEqual(
    house.filter(({ path }) => roomOf(path) === undefined).map(({ path }) => path),
    [],
  );
  const bad = offences((i, { path }) => {
    const [from, to] = [roomOf(path), roomOf(i.target)];
    if (!i.own || from === to || from?.imports === "all") return false;
    return to === undefined || !from?.imports.includes(to.path);
  });
  assert.deepEqual(bad, []);
});

test("no room may import what none of its files does", () => {
  const used = (from: string, to: string) =>
    house.some(
      ({ path, imports }) => roomOf(path)?.path === from && imports.some((i) => roomOf(i.target)?.path === to),
    );
  const unused = rooms.flatMap(({ path, imports }) =>
    imports === "all" ? [] : imports.filter((other) => !used(path, other)).map((other) => `${path} → ${other}`),
  );
  assert.deepEqual(unused, []);
});

test("outputs and sources import no neighbour", () => {
  const own = (path: string): string => path.split("/").slice(0, 2).join("/");
  const bad = offences(
    (i, { path }) =>
      /^(outputs|sources)\/(?!index\.ts$)/.test(path) &&
      /^(outputs|sources)\//.test(i.target) &&
      own(i.target) !== own(path),
  );
  assert.deepEqual(bad, []);
});

test("a package that one room keeps to itself is imported by no other", () => {
  const bad = offences((i, { path }) => {
    const keepers = rooms.filter((room) => room.packages?.some((name) => name.test(i.target)));
    return !i.own && keepers.length > 0 && !keepers.some((room) => room === roomOf(path));
  });
  assert.deepEqual(bad, []);
  assert.deepEqual(
    offences((i, { path }) => i.target === "bullmq" && !path.startsWith("src/queue/redis/")),
    [],
  );
});

test("the rules and the queue know nothing of HTTP", () => {
  assert.deepEqual(
    offences((i, { path }) => /^src\/(rules|queue)\//.test(path) && /^(node:https?|node:http2|undici)$/.test(i.target)),
    [],
  );
});

test("no module needs itself, directly or through others, not even for a type", () => {
  assert.deepEqual(cyclesOf(house), []);
});

/** `file:line` of code (comments left out) that the pattern finds. */
const linesWith = (within: RegExp, pattern: RegExp): string[] =>
  house
    .filter(({ path }) => within.test(path))
    .flatMap(({ path, text }) =>
      text
        .split("\n")
        .flatMap((line, i) => (pattern.test(line) && !/^\s*(\*|\/\*|\/\/)/.test(line) ? [`${path}:${i + 1}`] : [])),
    );

test("process.env is read in src/config only", () => {
  assert.deepEqual(linesWith(/^(?!src\/config\/)/, /\bprocess\.env\b/), []);
});

test("nothing writes to the console", () => {
  assert.deepEqual(linesWith(/./, /\bconsole\.\w+/), []);
});

test("no file is longer than 300 lines", () => {
  assert.deepEqual(
    house.filter(({ lines }) => lines > 300).map(({ path }) => path),
    [],
  );
});
