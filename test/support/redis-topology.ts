/** Redis as it runs in production: behind Sentinel, as a Cluster, and behind TLS with a password. Loopback only. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RedisNode } from "../../src/queue/redis/connect.ts";
import type { Authority } from "../fakes/certificates.ts";
import { freePort, type RedisServer, startRedis } from "./redis.ts";
import { until } from "./until.ts";

const kept = ["--appendonly", "yes"];

async function startFor(t: TestContext, args: readonly string[], config?: string): Promise<RedisServer> {
  const server = await startRedis(args, config);
  t.after(() => server.stop());
  return server;
}

const nodeOf = ({ port }: RedisServer): RedisNode => ({ host: "127.0.0.1", port });

/** A primary, its replica, and a Sentinel that decides alone and soon. */
export async function startSentinel(t: TestContext) {
  const name = "queue";
  const primary = await startFor(t, kept);
  const replica = await startFor(t, [
    ...kept,
    "--replicaof",
    `127.0.0.1 ${primary.port}`,
    "--repl-diskless-sync-delay",
    "0",
  ]);
  let marks = 0;
  /** Resolves when the replica holds everything that the primary held at the call. */
  const caughtUp = async () => {
    const mark = `mark-${++marks}`;
    await primary.command(`SET ${mark} 1`);
    await until("replica caught up", async () => (await replica.command(`EXISTS ${mark}`)) === ":1");
  };
  await caughtUp();
  const sentinel = await startFor(
    t,
    ["--sentinel"],
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1
sentinel down-after-milliseconds ${name} 500
sentinel failover-timeout ${name} 3000
`,
  );
  const replicas = async () => sentinel.command(`SENTINEL REPLICAS ${name}`);
  await until("replica known to Sentinel", async () => (await replicas()) === "*1");
  // The first Sentinel of the list is never there.
  const nodes = [{ host: "127.0.0.1", port: 9 }, nodeOf(sentinel)];
  return { primary, replica, caughtUp, settings: { nodes, name } };
}

/** Three primaries with a third of the slots each, no replicas. */
export async function startCluster(t: TestContext) {
  const servers = await Promise.all(
    [0, 1, 2].map(async () => {
      // The usual bus port, 10000 above, may not exist.
      const bus = await freePort();
      const options = ["--cluster-enabled", "yes", "--cluster-port", String(bus), "--cluster-node-timeout", "2000"];
      return { bus, server: await startFor(t, [...kept, ...options]) };
    }),
  );
  const [first, ...others] = servers;
  if (!first) throw new Error("no servers");
  const ok = async (server: RedisServer, line: string) => {
    const answer = await server.command(line);
    if (answer !== "+OK") throw new Error(`${line}: ${answer}`);
  };
  const slots = ["0 5461", "5462 10922", "10923 16383"];
  for (const [i, { server }] of servers.entries()) {
    await ok(server, `CLUSTER SET-CONFIG-EPOCH ${i + 1}`);
    await ok(server, `CLUSTER ADDSLOTSRANGE ${slots[i]}`);
  }
  for (const { server, bus } of others) await ok(first.server, `CLUSTER MEET 127.0.0.1 ${server.port} ${bus}`);
  // A node that knows the whole map answers MOVED for a key that is elsewhere, CLUSTERDOWN before.
  const sees = async (server: RedisServer) => {
    const answers = await Promise.all(["a", "b", "c", "d"].map((key) => server.command(`EXISTS ${key}`)));
    const count = await server.command("CLUSTER SLOTS");
    return count === "*3" && answers.every((a) => a === ":0" || a.startsWith("-MOVED"));
  };
  await until("cluster formed", async () => (await Promise.all(servers.map((s) => sees(s.server)))).every(Boolean));
  return { servers: servers.map((s) => s.server), nodes: servers.map((s) => nodeOf(s.server)) };
}

/** TLS with a certificate of `authority`; clients need the password and no certificate. Resolves with host and port. */
export async function startTls(t: TestContext, authority: Authority, password: string): Promise<string> {
  const port = await freePort();
  const server = await startFor(t, kept);
  const { key, cert } = authority.server();
  for (const [name, text] of Object.entries({ key, cert, ca: authority.ca }))
    writeFileSync(join(server.dir, `${name}.pem`), text);
  const set = ["tls-cert-file cert.pem", "tls-key-file key.pem", "tls-ca-cert-file ca.pem", "tls-auth-clients no"];
  for (const setting of [...set, `tls-port ${port}`, `requirepass ${password}`]) {
    const answer = await server.command(`CONFIG SET ${setting}`);
    if (answer !== "+OK") throw new Error(`${setting.split(" ")[0]}: ${answer}`);
  }
  return `127.0.0.1:${port}`;
}
