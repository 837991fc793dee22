import { accessSync, constants, existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { listenersOf, type PlannedListener } from "../config/listeners.ts";
import type { HubConfig, Problem } from "../config/types.ts";
import { extraLabels } from "../metrics/event-series.ts";
import { type LoadedRules, loadHubRules } from "../pipeline/judge/load-rules.ts";
import { lockDirectory } from "../queue/sqlite/lock.ts";

export interface Preflight {
  readonly rules: LoadedRules;
  readonly listeners: readonly PlannedListener[];
  /** What the start would stumble over, the rules' own problems among it. */
  readonly problems: readonly Problem[];
}

/**
 * Looks at what a configuration needs beside itself: rules files, ports, the data folder. The start and check-config both
 * ask here. `running`: a hub of this configuration is up, and has its ports and its folder.
 */
export const preflight = async (config: HubConfig, running = false): Promise<Preflight> => {
  const rules = config.role === "intake" ? { files: [], problems: [] } : loadHubRules(config);
  const listeners = listenersOf(config);
  const taken = running ? [] : [...(await portFaults(listeners)), ...lockFaults(config)];
  return { rules, listeners, problems: [...rules.problems, ...labelFaults(config), ...folderFaults(config), ...taken] };
};

const error = (key: string, message: string): Problem => ({ severity: "error", key, message });

/** Fields that cannot be a label of the events metric. */
const labelFaults = ({ customfields, templatedfields, metrics }: HubConfig): readonly Problem[] =>
  extraLabels({
    customfields: Object.keys(customfields),
    templatedfields: Object.keys(templatedfields),
    extralabels: metrics.extralabels,
  }).refused.map((field) => ({
    severity: "warning",
    key:
      field in customfields ? "customfields" : field in templatedfields ? "templatedfields" : "prometheus.extralabels",
    message: `"${field}" cannot be a label of the metrics, names of output fields can; it is left out there`,
  }));

/** Ports that cannot be listened on, each opened for a moment. */
const portFaults = async (listeners: readonly PlannedListener[]): Promise<readonly Problem[]> => {
  const faults: Problem[] = [];
  const tried = new Set<number>();
  for (const { key, host, port } of listeners) {
    // One that is wanted twice is told of by its clash.
    if (port === 0 || tried.has(port)) continue;
    tried.add(port);
    const code = await tryPort(host, port);
    if (code !== undefined) faults.push(error(key, portMessage(code, host, port)));
  }
  return faults;
};

const tryPort = (host: string, port: number): Promise<string | undefined> =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", (fault: NodeJS.ErrnoException) => done(fault.code ?? "error"));
    server.listen({ port, ...(host !== "" && { host }) }, () => server.close(() => done(undefined)));
  });

const portMessage = (code: string, host: string, port: number): string => {
  if (code === "EADDRINUSE") return `port ${port} is in use by another process (${code})`;
  if (code === "EACCES") return `port ${port} may not be opened by this user (${code})`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return `${host} is no address of this host (${code})`;
  return `port ${port} cannot be listened on (${code})`;
};

/** The data folder, or the one that it would be made in. */
const folderFaults = ({ datadir }: HubConfig): readonly Problem[] => {
  let folder = resolve(datadir);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    if (!statSync(folder).isDirectory()) return [error("datadir", `${folder} is not a folder`)];
    accessSync(folder, constants.W_OK);
    return [];
  } catch (fault) {
    return [error("datadir", `${folder} cannot be written (${(fault as NodeJS.ErrnoException).code})`)];
  }
};

const lockFaults = ({ datadir, queue, role }: HubConfig): readonly Problem[] => {
  const local = queue.driver === "sqlite" ? "queue" : role === "worker" ? "spill-worker" : "spill";
  const folder = join(datadir, local);
  if (!existsSync(join(folder, "queue.lock"))) return [];
  try {
    lockDirectory(folder)();
    return [];
  } catch (fault) {
    return [error("datadir", fault instanceof Error ? fault.message : "the queue directory cannot be used")];
  }
};
