import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { runEyrie } from "../../support/command.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/rules.md"), "utf8");
const blocks = Array.from(page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm), ([, kind = "", text = ""]) => ({
  kind,
  text,
}));

test("every command of docs/rules.md prints what the page says, with the files that the page shows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "docs-rules-"));
  try {
    for (const { text } of blocks) {
      const [, name, content] = /^# file: (\S+)\n([\s\S]*)$/.exec(text) ?? [];
      if (name === undefined || content === undefined) continue;
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const commands = blocks.filter(({ kind }) => kind === "console");
    assert.ok(commands.length >= 5);
    for (const { text } of commands) {
      const [, args = "", expected] = /^\$ eyrie (.*)\n([\s\S]*)$/.exec(text) ?? [];
      const { code, stdout, stderr } = await runEyrie(args.split(" "), { TZ: "UTC", FALCO_HOSTNAME: "docs" }, folder);
      assert.equal(stdout, expected, `${args}\n${stderr}`);
      assert.equal(code, 0, args);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every page that docs/rules.md links to exists", () => {
  const links = Array.from(page.matchAll(/\]\((\.\.\/[^)]+)\)/g), ([, target = ""]) => target);
  assert.ok(links.length >= 5);
  for (const target of links) readFileSync(join(import.meta.dirname, "../../../docs", target));
});
