import { createServer } from "node:net";
import type { PlannedListener } from "../config/listeners.ts";
import type { Problem } from "../config/types.ts";

/** Ports that cannot be listened on, each opened for a moment. */
export const portFaults = async (listeners: readonly PlannedListener[]): Promise<readonly Problem[]> => {
  const faults: Problem[] = [];
  const tried = new Set<number>();
  for (const { key, host, port } of listeners) {
    // One that is wanted twice is told of by its clash.
    if (port === 0 || tried.has(port)) continue;
    tried.add(port);
    const code = await tryPort(host, port);
    if (code !== undefined) faults.push({ severity: "error", key, message: portMessage(code, host, port) });
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
