import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";

const root = join(import.meta.dirname, "..", "..");

/** Hubs that no test has ended, for one that failed before it could say so must not keep its file waiting. */
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

export interface HubProcess {
  /** `http://127.0.0.1:port` of the door. */
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resident memory in bytes. */
  rss(): number;
  /** Sends the signal and resolves with the exit code, or with the signal's name. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

export interface HubOptions {
  /** Text of the configuration file. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Folder of the checkout that is run; absent: this one. */
  readonly checkout?: string;
  /** Command that ends in an exec of what follows it: `unshare`, `faketime`. */
  readonly through?: readonly string[];
  /** Kept between starts when given. */
  readonly datadir: string;
}

/** A directory of the test's own, removed by `remove`. */
export const scratch = (): { dir: string; remove(): void } => {
  const dir = mkdtempSync(join(tmpdir(), "eyrie-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
};

/** Starts the real process and resolves when it listens; rejects with what it printed when it ends before that. */
export const startHub = async (options: HubOptions): Promise<HubProcess> => {
  const file = join(options.datadir, "eyrie-test.yaml");
  if (options.config !== undefined) writeFileSync(file, options.config);
  const config = options.config === undefined ? [] : ["-c", file];
  const words = [process.execPath, join(options.checkout ?? root, "src/eyrie.js"), ...config, ...(options.args ?? [])];
  const [command = "", ...args] = [...(options.through ?? []), ...words];
  const child = spawn(command, args, {
    cwd: options.datadir,
    env: {
      PATH: process.env.PATH,
      LISTENADDRESS: "127.0.0.1",
      LISTENPORT: "0",
      LOG_FORMAT: "json",
      DATADIR: join(options.datadir, "data"),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  child.stdout.on("data", (data: Buffer) => {
    printed += data.toString();
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stderr });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      printed += line + "\n";
      const found = /"listening":"(http[^"]+)"/.exec(line);
      if (found?.[1]) resolve(found[1]);
    });
    exited.then(() => reject(new Error(`the hub ended before it listened:\n${printed}`)), reject);
  });
  return {
    url,
    child,
    output: () => printed,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024,
    stop: async (signal = "SIGTERM") => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code, by] = await exited;
      return code ?? (by as string);
    },
  };
};
