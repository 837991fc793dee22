// Runs before start and test, on whatever Node there is: installs what the lock file names when it is not there yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const lock = join(root, "package-lock.json");
const stamp = join(root, "node_modules", ".eyrie-lock");
const want = createHash("sha256").update(readFileSync(lock)).digest("hex");
const have = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";

if (have !== want) {
  process.stderr.write("eyrie: installing dependencies (once)\n");
  const npm = (...args) =>
    spawnSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    }).status === 0;
  // A mirror that lacks another platform's packages fails `ci`; `install` then takes what the lock file has.
  if (!npm("ci") && !npm("install", "--no-save")) {
    process.stderr.write("eyrie: the installation failed; run `npm ci` by hand to see why\n");
    process.exit(1);
  }
  writeFileSync(stamp, want);
}
