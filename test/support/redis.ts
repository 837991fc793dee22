/** A real redis-server for a test: free port, own folder, killed and started again at will. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { provide } from "../../scripts/services.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly pid: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** On the same port and folder. */
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Sends one inline command and resolves with the first line of the answer. */
  command(line: string): Promise<string>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** Why no Redis can be started here; undefined: it can. */
export function redisMissing(): string | undefined {
  const found = provide("redis");
  return "skip" in found ? found.skip : undefined;
}

/** What ends the servers when the test process ends before they were stopped. */
const alive = new Set<() => void>();
process.once("exit", () => {
  for (const kill of alive) kill();
});

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/**
 * `args` are redis-server's own: `--maxmemory 5mb`. By default: append-only file, fsync each second, noeviction.
 * `config` becomes the configuration file, which a Sentinel must have.
 */
export async function startRedis(
  args: readonly string[] = ["--appendonly", "yes"],
  config?: string,
): Promise<RedisServer> {
  const found = provide("redis");
  if ("skip" in found) throw new Error(found.skip);
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "eyrie-redis-"));
  const file = join(dir, "redis.conf");
  if (config !== undefined) writeFileSync(file, config);
  let child: ChildProcess | undefined;
  const killOnExit = () => child?.kill("SIGKILL");
  alive.add(killOnExit);

  const command = async (line: string) => {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.write(`${line}\r\n`);
      const [data] = (await once(socket, "data")) as [Buffer];
      return data.toString().split("\r\n")[0] ?? "";
    } finally {
      socket.destroy();
    }
  };
  const start = async () => {
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", ...args];
    if (config !== undefined) options.unshift(file);
    child = spawn(found.path, options, { stdio: "ignore" });
    for (let tries = 0; tries < 500; tries++) {
      if ((await command("PING").catch(() => "")) === "+PONG") return;
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      await sleep(20);
    }
    throw new Error("redis-server did not answer");
  };
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child?.pid ?? 0;
    },
    kill,
    start,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    command,
    stop: async () => {
      await kill();
      alive.delete(killOnExit);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
