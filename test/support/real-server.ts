/** Real servers for tests: a free port, a folder of their own, killed and started again at will. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { provide, type ServiceName } from "../../scripts/services.ts";

export interface RealServer {
  readonly port: number;
  readonly dir: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** On the same port and folder. */
  start(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export interface ServerPlan {
  readonly service: ServiceName;
  args(port: number, dir: string): readonly string[];
  /** Resolves with true when the server answers. */
  ready(port: number): Promise<boolean>;
  readonly env?: Readonly<Record<string, string>>;
}

/** For `skip`: why the service cannot be had here, or false. */
export const without = (service: ServiceName): string | false => {
  const found = provide(service);
  return "skip" in found ? found.skip : false;
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
};

/** True when a GET of the URL answers below 500. */
export const answers = async (url: string): Promise<boolean> => {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await reply.arrayBuffer();
    return reply.status < 500;
  } catch {
    return false;
  }
};

export const startServer = async (plan: ServerPlan): Promise<RealServer> => {
  const found = provide(plan.service);
  if ("skip" in found) throw new Error(found.skip);
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), `eyrie-${plan.service}-`));
  let child: ChildProcess | undefined;
  const killOnExit = () => child?.kill("SIGKILL");
  process.once("exit", killOnExit);

  const start = async () => {
    let said = "";
    const begun = spawn(found.path, plan.args(port, dir), {
      cwd: dir,
      env: { PATH: process.env.PATH, HOME: dir, ...plan.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = begun;
    for (const stream of [begun.stdout, begun.stderr])
      stream.on("data", (data: Buffer) => {
        said = (said + data.toString()).slice(-4000);
      });
    for (let tries = 0; tries < 600; tries++) {
      if (await plan.ready(port)) return;
      if (begun.exitCode !== null) throw new Error(`${plan.service} ended with ${begun.exitCode}:\n${said}`);
      await sleep(50);
    }
    throw new Error(`${plan.service} did not answer:\n${said}`);
  };
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  const stop = async () => {
    await kill();
    process.removeListener("exit", killOnExit);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, dir, kill, start, stop };
};
