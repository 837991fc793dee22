import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Why no small disk can be had; undefined where this user may mount one. */
export const smallDiskMissing = (): string | undefined =>
  process.platform === "linux" && process.getuid?.() === 0 ? undefined : "mounting a small disk needs root";

/** A file system of its own in memory, gone with the test. Skips the test where none may be mounted. */
export function smallDisk(t: TestContext, kilobytes: number): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "eyrie-disk-"));
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", dir]);
  t.after(() => {
    if (status === 0) spawnSync("umount", ["-l", dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  if (status === 0) return dir;
  t.skip("this machine does not let its user mount a small disk");
  return undefined;
}

/** Leaves no free byte; returns the file that takes them. */
export function fillUp(dir: string): string {
  const ballast = join(dir, "ballast");
  for (const size of [1 << 20, 65536, 4096])
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: "a" });
    } catch {
      // Full at this size; the next is smaller.
    }
  if (statfsSync(dir).bavail > 0) throw new Error("the disk is not full");
  return ballast;
}
