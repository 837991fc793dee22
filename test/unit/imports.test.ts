import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");

const filesIn = (folder: string): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    : [];

interface Import {
  /** A path from the root, or a package. */
  readonly target: string;
  readonly own: boolean;
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const importPattern =
  /^(?:import|export)\s+(type\s+)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

const importsOf = (file: string): Import[] =>
  [...readFileSync(join(root, file), "utf8").matchAll(importPattern)].map(([, type, fixed, lazy]) => {
    const name = fixed ?? lazy ?? "";
    const own = name.startsWith(".");
    const target = own ? relative(root, join(root, dirname(file), name)) : name;
    return { target, own, typeOnly: type !== undefined, lazy: lazy !== undefined };
  });

const files = ["src", "outputs", "sources"].flatMap(filesIn);
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const isRegistry = (path: string): boolean => /^(outputs|sources)\/index\.ts$/.test(path);

/** `file → target` for every import of the files that the rule forbids. */
const offences = (within: RegExp, forbidden: (i: Import, file: string) => boolean): string[] =>
  [...imports].flatMap(([file, list]) =>
    within.test(file) ? list.filter((i) => forbidden(i, file)).map((i) => `${file} → ${i.target}`) : [],
  );

test("the walk sees the imports it is to judge", () => {
  assert.ok(files.length > 20);
  const seen = ["src/config/load.ts", "src/hub/preflight.ts"].flatMap(importsOf).map((i) => i.target);
  assert.ok(seen.includes("src/config/tree.ts") && seen.includes("node:fs"));
});

test("every import of our own names a file that exists", () => {
  const missing = offences(/./, (i) => i.own && !existsSync(join(root, i.target)));
  assert.deepEqual(missing, []);
});

const folder = (file: string): string => file.split("/").slice(0, 2).join("/");

test("outputs import src/sdk, their own folder and their client library, nothing else of ours", () => {
  const bad = offences(
    /^outputs\/(?!index)/,
    (i, file) => i.own && !/^src\/sdk\//.test(i.target) && folder(i.target) !== folder(file),
  );
  assert.deepEqual(bad, []);
});

test("sources import src/sdk, src/audit, src/json, their own folder and their client library", () => {
  const bad = offences(
    /^sources\/(?!index)/,
    (i, file) => i.own && !/^src\/(sdk|audit|json)\//.test(i.target) && folder(i.target) !== folder(file),
  );
  assert.deepEqual(bad, []);
});

test("src/json imports nothing of ours, src/sdk only src/json, src/audit only both", () => {
  const outside = (room: string, allowed: RegExp) =>
    offences(new RegExp(`^src/${room}/`), (i) => i.own && !allowed.test(i.target));
  assert.deepEqual(outside("json", /^src\/json\//), []);
  assert.deepEqual(outside("sdk", /^src\/(sdk|json)\//), []);
  assert.deepEqual(outside("audit", /^src\/(audit|sdk|json)\//), []);
});

test("src/names imports nothing of ours but its own files", () => {
  assert.deepEqual(
    offences(/^src\/names\//, (i) => i.own && !i.target.startsWith("src/names/")),
    [],
  );
});

test("the rules and the queue know nothing of HTTP, outputs or sources", () => {
  const bad = offences(
    /^src\/(rules|queue)\//,
    (i) =>
      /^(src\/(http|deliver|cli)\/|outputs\/|sources\/|koa$|@koa|undici$)/.test(i.target) || i.target === "node:http",
  );
  assert.deepEqual(bad, []);
});

test("only src/queue/redis knows BullMQ, only src/http knows Koa", () => {
  assert.deepEqual(
    offences(/^(?!src\/queue\/redis\/)/, (i) => i.target === "bullmq"),
    [],
  );
  assert.deepEqual(
    offences(/^(?!src\/http\/)/, (i) => /^@?koa/.test(i.target)),
    [],
  );
});

test("only the composition root imports the registries", () => {
  assert.deepEqual(
    offences(/^(?!src\/main\.ts$|src\/cli\/)/, (i) => isRegistry(i.target)),
    [],
  );
});

test("no module needs itself, directly or through others", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file) || path.includes(file)) return;
    for (const i of imports.get(file) ?? []) if (i.own && !i.typeOnly && !i.lazy) visit(i.target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(cycles, []);
});

/** Lines of code (comments left out) that the pattern finds. */
const linesWith = (within: RegExp, pattern: RegExp): string[] =>
  files
    .filter((file) => within.test(file))
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .flatMap((line, i) => (pattern.test(line) && !/^\s*(\*|\/\*|\/\/)/.test(line) ? [`${file}:${i + 1}`] : [])),
    );

test("process.env is read in src/config only", () => {
  assert.deepEqual(linesWith(/^(?!src\/config\/)/, /\bprocess\.env\b/), []);
});

test("nothing writes to the console", () => {
  assert.deepEqual(linesWith(/./, /\bconsole\.\w+/), []);
});

test("no file is longer than 300 lines", () => {
  const long = files.filter((file) => readFileSync(join(root, file), "utf8").trimEnd().split("\n").length > 300);
  assert.deepEqual(long, []);
});
