import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `eyrie …` as a process of its own with this environment and nothing else; `checkout` is the folder whose code is run. */
export const runEyrie = async (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = root,
  checkout = root,
): Promise<Ran> => {
  const child = spawn(process.execPath, [join(checkout, "src/eyrie.js"), ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
};
