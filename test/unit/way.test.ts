import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Module, readHouse, root } from "../../scripts/house/modules.ts";

const house = new Map(readHouse().map((module) => [module.path, module]));
const moduleOf = (path: string): Module => house.get(path) ?? assert.fail(`${path} is no file of the program`);

/** The files of a numbered list in CONTRIBUTING, in their order; items that begin with no file are lanes. */
const filesOf = (title: string): readonly string[] => {
  const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  const [, section = ""] = text.split(`### ${title}\n`);
  const [list = ""] = section.split(/^#/m);
  return [...list.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, path = ""]) => path);
};

const alert = filesOf("The way of an alert");
const event = filesOf("The way of an audit event");

/** Puts parts together, so that one reaches the other without importing it. */
const wires = [...house.values()].filter(
  ({ path }) => path.startsWith("src/hub/") || path === "src/http/server.ts" || /^(outputs|sources)\//.test(path),
);

const ways: Readonly<Record<string, readonly string[]>> = {
  "an alert": alert,
  "an audit event": [...event, ...alert.slice(alert.indexOf("src/pipeline/route.ts") + 1)],
};

for (const [what, files] of Object.entries(ways))
  describe(`the way of ${what}`, () => {
    test("is long enough to be one, and passes no file twice", () => {
      assert.ok(files.length > 10);
      assert.deepEqual(
        files.filter((file, at) => files.indexOf(file) !== at),
        [],
      );
    });

    test("leads from each file to one behind it", () => {
      const unreached = files.filter((file, at) => {
        moduleOf(file);
        const before = files.slice(0, at).map(moduleOf);
        return at > 0 && ![...before, ...wires].some(({ imports }) => imports.some(({ target }) => target === file));
      });
      assert.deepEqual(unreached, []);
    });

    test("leads back to none: what a file has handed on does not call it again", () => {
      const back = files.flatMap((file, at) =>
        moduleOf(file)
          .imports.filter(({ target, typeOnly }) => !typeOnly && files.slice(0, at).includes(target))
          .map(({ target }) => `${file} → ${target}`),
      );
      assert.deepEqual(back, []);
    });
  });
