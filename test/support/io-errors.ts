import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { provide } from "../../scripts/services.ts";

/** Why disk errors cannot be made; undefined where a process may be traced. */
export const ioErrorsMissing = (): string | undefined => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "making disk errors needs root on Linux";
  const strace = provide("strace");
  return "skip" in strace ? strace.skip : undefined;
};

/**
 * From now on these system calls of the process (`pwrite64,fsync`) fail with EIO on the files of `dir`; returns what ends
 * that. Undefined where the process cannot be traced.
 */
export async function failIo(pid: number, dir: string, calls: string): Promise<(() => Promise<void>) | undefined> {
  const files = readdirSync(dir).flatMap((name) => ["-P", join(dir, name)]);
  const faults = ["-e", `trace=${calls}`, "-e", `inject=${calls}:error=EIO`];
  const tracer = spawn("strace", ["-f", "-qq", "-p", `${pid}`, ...files, ...faults, "-o", "/dev/null"], {
    stdio: "ignore",
  });
  const ended = once(tracer, "exit");
  if (await Promise.race([ended.then(() => true), sleep(500, false)])) return undefined;
  return async () => {
    tracer.kill("SIGINT");
    await ended;
  };
}
