import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../..");
const named = /`((?:src|test|scripts|bench|outputs|sources)\/[\w./-]+)`/g;

test("files and folders that the documentation names are there", () => {
  const pages = globSync(["*.md", "{docs,decisions,bench}/**/*.md"], { cwd: root });
  assert.ok(pages.length > 50);
  const gone = pages.flatMap((page) =>
    Array.from(readFileSync(join(root, page), "utf8").matchAll(named), ([, path = ""]) => path)
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(gone, []);
});
