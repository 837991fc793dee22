/**
 * `npm test`: type check, lint, dead code, generated files, then every suite. Arguments choose test files and skip the
 * checks before them: `npm test -- test/unit/group-commit.test.ts`.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);

const run = (title: string, command: string, args: readonly string[]): void => {
  console.log(`\n── ${title}`);
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status === 0) return;
  console.error(`${title} failed (${signal ?? `exit ${status}`})`);
  process.exit(status ?? 1);
};

const chosen = process.argv.slice(2);
if (chosen.length === 0) {
  run("types", bin("tsc"), ["-p", "."]);
  run("lint", bin("biome"), ["check", "--error-on-warnings", "."]);
  run("dead code", bin("knip"), []);
  run("generated files", process.execPath, ["scripts/gen.ts", "--check"]);
}
const files = chosen.length > 0 ? chosen : globSync("test/**/*.test.ts", { cwd: root }).sort();
run("tests", process.execPath, [
  "--test",
  "--test-concurrency=2",
  "--test-timeout=300000",
  "--test-reporter=spec",
  ...files,
]);
