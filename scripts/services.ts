/** Real servers for tests. Missing ones are installed on Debian as root; elsewhere the reason is returned. */

import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ServiceName = "redis" | "nats" | "alertmanager" | "influxdb" | "moto" | "chromium" | "strace";
/** An executable's path, or why there is none. */
export type Provided = { readonly path: string } | { readonly skip: string };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const debian = {
  redis: { program: "redis-server", package: "redis-server" },
  nats: { program: "nats-server", package: "nats-server" },
  alertmanager: { program: "prometheus-alertmanager", package: "prometheus-alertmanager" },
  influxdb: { program: "influxd", package: "influxdb" },
  chromium: { program: "chromium", package: "chromium" },
  strace: { program: "strace", package: "strace" },
} as const;

function find(program: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).concat("/usr/bin", "/usr/sbin", "/usr/local/bin");
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Runs one work at a time across test processes: package managers dislike company. */
function alone<T>(work: () => T): T {
  const lock = join(root, ".cache", "services.lock");
  mkdirSync(dirname(lock), { recursive: true });
  const end = Date.now() + 300_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (Date.now() > end) rmSync(lock, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    return work();
  } finally {
    rmdirSync(lock);
  }
}

const run = (command: string, args: readonly string[]) =>
  execFileSync(command, args, {
    stdio: "pipe",
    timeout: 280_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  });

/** Installs a package without starting its service: policy-rc.d answers 101 while it runs. */
function installPackage(name: string): void {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const install = () => run("apt-get", ["install", "-y", "--no-install-recommends", name]);
    try {
      install();
    } catch {
      run("apt-get", ["update"]);
      install();
    }
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function installMoto(): string {
  const folder = join(root, ".cache", "services", "moto");
  const program = join(folder, "bin", "moto_server");
  if (existsSync(program)) return program;
  mkdirSync(dirname(folder), { recursive: true });
  run("python3", ["-m", "venv", folder]);
  run(join(folder, "bin", "pip"), ["install", "--quiet", "moto[server,sqs,sns,s3,awslambda_simple,logs,kinesis,sts]"]);
  return program;
}

function missing(name: ServiceName, reason: string): Provided {
  if (process.env.CI === "true") throw new Error(`${name} is needed in CI: ${reason}`);
  return { skip: `${name}: ${reason}` };
}

/** Finds or installs a test service. With CI=true a missing one throws. */
export function provide(name: ServiceName): Provided {
  try {
    if (name === "moto") return { path: alone(installMoto) };
    const { program, package: pack } = debian[name];
    const present = find(program);
    if (present) return { path: present };
    if (!find("apt-get") || process.getuid?.() !== 0) return missing(name, `${program} is not installed`);
    alone(() => find(program) ?? installPackage(pack));
    const path = find(program);
    return path ? { path } : missing(name, `${pack} brought no ${program}`);
  } catch (error) {
    if ((error as Error).message.includes("needed in CI")) throw error;
    return missing(name, `installation failed: ${String((error as Error).message).split("\n")[0]}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of process.argv.slice(2)) console.log(name, provide(name as ServiceName));
}
