/**
 * `npm test`: type check, lint, dead code, generated files, then every suite. Arguments choose test files and skip the
 * checks before them: `npm test -- test/unit/pipeline/group-commit.test.ts`.
 *
 * Suites run beside each other, and many end processes, fill disks or wait for real servers. A file that failed there is
 * run once more by itself: what then passes is named at the end, what fails again fails the run. More than a few files
 * are not tried again.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);

const start = (title: string, command: string, args: readonly string[]): { status: number; how: string } => {
  console.log(`\n── ${title}`);
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return { status: status ?? 1, how: signal ?? `exit ${status}` };
};

const run = (title: string, command: string, args: readonly string[]): void => {
  const { status, how } = start(title, command, args);
  if (status === 0) return;
  console.error(`${title} failed (${how})`);
  process.exit(status);
};

/** Files that may fail beside others. */
const mostAgain = 3;

const runTests = (files: readonly string[]): void => {
  const scratch = mkdtempSync(join(tmpdir(), "eyrie-test-"));
  const list = join(scratch, "failed");
  const common = ["--test", "--test-concurrency=2", "--test-timeout=300000"];
  const reporters = [
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${join(import.meta.dirname, "failed-files.ts")}`,
    `--test-reporter-destination=${list}`,
  ];
  const { status, how } = start("tests", process.execPath, [...common, ...reporters, ...files]);
  const failed = readFileSync(list, "utf8").split("\n").filter(Boolean);
  rmSync(scratch, { recursive: true, force: true });
  if (status === 0) return;
  if (failed.length === 0 || failed.length > mostAgain) {
    console.error(`tests failed (${how})`);
    process.exit(status);
  }
  for (const file of failed)
    run(`once more, by itself: ${relative(root, file)}`, process.execPath, [...common, "--test-reporter=spec", file]);
  console.log(`\nFailed beside others and passed alone: ${failed.map((file) => relative(root, file)).join(", ")}`);
};

const chosen = process.argv.slice(2);
if (chosen.length === 0) {
  run("types", bin("tsc"), ["-p", "."]);
  run("lint", bin("biome"), ["check", "--error-on-warnings", "."]);
  run("dead code", bin("knip"), []);
  run("dead code but for tests", bin("knip"), ["--production"]);
  run("generated files", process.execPath, ["scripts/gen.ts", "--check"]);
}
runTests(chosen.length > 0 ? chosen : globSync("test/**/*.test.ts", { cwd: root }).sort());
