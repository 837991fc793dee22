import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type TestContext, test } from "node:test";
import { type Lease, LeaseLostError, usualTimes } from "../../../src/queue/lease.ts";
import { openLeases } from "../../../src/queue/open-leases.ts";
import { openRedisLeases } from "../../../src/queue/redis/lease.ts";
import { scratch } from "../../support/hub-process.ts";
import { redisMissing, startRedis } from "../../support/redis.ts";
import { startCluster } from "../../support/redis-topology.ts";
import { until } from "../../support/until.ts";

const skip = redisMissing() ?? false;
const deps = { uuid: randomUUID, monotonic: () => performance.now(), log: () => {} };
const quick = { leaseMs: 1000, renewMs: 100, tryMs: 50, marginMs: 200 };

/** A process that works under the lease whenever it has it, and what it said. */
const worker = (t: TestContext, url: string, name: string) => {
  const file = join(import.meta.dirname, "../../support/lease-child.ts");
  const child: ChildProcess = spawn(process.execPath, [file, url, name], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout?.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const tokens = () => Array.from(said.matchAll(/^held (\d+)/gm), ([, token]) => Number(token));
  return { child, said: () => said, tokens, says: (what: RegExp) => until(`${name}: ${what}`, () => what.test(said)) };
};

/** Two of them, the first of which has the lease. */
const pair = async (t: TestContext) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const first = worker(t, redis.url, "a");
  await first.says(/^held \d+ after nothing\nwrote$/m);
  const second = worker(t, redis.url, "b");
  await second.says(/^up$/m);
  return { redis, first, second };
};

test("the times of a lease keep what is promised: another holder within 15 s of a death and 2 s of an orderly end", () => {
  assert.ok(usualTimes.leaseMs + usualTimes.tryMs < 15_000);
  assert.ok(usualTimes.tryMs < 2000);
  assert.ok(usualTimes.renewMs < usualTimes.leaseMs - usualTimes.marginMs);
});

test("a process that is killed with the lease has a successor with a larger token, which goes on where it left off", {
  skip,
}, async (t) => {
  const { first, second } = await pair(t);
  assert.deepEqual(second.tokens(), []);
  const killed = performance.now();
  first.child.kill("SIGKILL");
  await second.says(/^held \d+ after a\d+$/m);
  t.diagnostic(`held ${Math.round(performance.now() - killed)} ms after the kill`);
  assert.ok((second.tokens()[0] ?? 0) > (first.tokens()[0] ?? 0));
});

test("a process that ends in order gives the lease back", { skip }, async (t) => {
  const { first, second } = await pair(t);
  const ended = performance.now();
  first.child.kill("SIGTERM");
  await once(first.child, "exit");
  await second.says(/^held \d+ after a\d+$/m);
  t.diagnostic(`held ${Math.round(performance.now() - ended)} ms after SIGTERM`);
});

test("a holder that was stopped for longer than its lease is refused what it writes when it wakes", {
  skip,
}, async (t) => {
  const { first, second } = await pair(t);
  first.child.kill("SIGSTOP");
  await second.says(/^held \d+ after a\d+\nwrote$/m);
  first.child.kill("SIGCONT");
  await first.says(/^refused LeaseLostError$/m);
  assert.deepEqual(first.tokens().length, 1);
  second.child.kill("SIGKILL");
  await first.says(/^held \d+ after b\d+$/m);
});

test("while Redis is away nobody has the lease; when it is back one has, with a larger token and what was written", {
  skip,
}, async (t) => {
  const redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
  t.after(() => redis.stop());
  const held: Lease[] = [];
  const leases = openRedisLeases({ url: redis.url, times: quick, commandTimeoutMs: 300 }, deps);
  const working = leases.hold("w", (lease) => {
    held.push(lease);
    return new Promise((resolve) => lease.signal.addEventListener("abort", () => resolve()));
  });
  await until("it is held", () => held.length === 1);
  await held[0]?.checkpoint.set("at", "7");
  await redis.kill();
  await until("it is lost", () => held[0]?.signal.aborted === true);
  await assert.rejects(held[0]?.checkpoint.set("at", "8") ?? assert.fail(), { name: "QueueError" });
  await redis.start();
  await until("it is held again", () => held.length === 2);
  assert.ok((held[1]?.token ?? 0) > (held[0]?.token ?? 0));
  await assert.rejects(held[0]?.checkpoint.set("at", "8") ?? assert.fail(), LeaseLostError);
  assert.equal(await held[1]?.checkpoint.get("at"), "7");
  await working.close();
  await leases.close();
});

test("work that throws is done again, work that ends is not; leases of other names are other leases", {
  skip,
}, async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const hosts = [0, 1].map(() => openRedisLeases({ url: redis.url, times: quick }, deps));
  const runs: string[] = [];
  const holds = hosts.flatMap((leases, host) => [
    leases.hold("fails once", async () => {
      runs.push(`fails ${host}`);
      if (runs.filter((run) => run.startsWith("fails")).length === 1) throw new Error("no");
    }),
    leases.hold(`own {${host}}`, async ({ checkpoint }) => {
      assert.equal(await checkpoint.get("mine"), undefined);
      await checkpoint.set("mine", String(host));
      runs.push(`own ${host}`);
    }),
  ]);
  // Each host ends its work once, and one had to do it twice.
  await until("all is done", () => runs.length === 5);
  assert.equal(runs.filter((run) => run.startsWith("own")).length, 2);
  await Promise.all(holds.map((hold) => hold.close()));
  assert.equal(runs.length, 5);
  await Promise.all(hosts.map((leases) => leases.close()));
});

/** The lease as it is gained, with its token; held until the test ends. */
const gained = async (t: TestContext, settings: Parameters<typeof openRedisLeases>[0]): Promise<Lease> => {
  const leases = openRedisLeases({ times: quick, ...settings }, deps);
  const held = Promise.withResolvers<Lease>();
  const holding = leases.hold("w", async (lease) => {
    held.resolve(lease);
    await new Promise<void>((resolve) => lease.signal.addEventListener("abort", () => resolve()));
  });
  t.after(async () => {
    await holding.close();
    await leases.close();
  });
  return held.promise;
};

test("a lease and its checkpoint lie in one slot of a cluster, whatever the prefix", {
  skip,
  timeout: 60_000,
}, async (t) => {
  const { nodes } = await startCluster(t);
  for (const prefix of ["plain", "{tagged}"]) {
    const { checkpoint, token } = await gained(t, { cluster: nodes, prefix });
    await checkpoint.set("at", String(token));
    assert.equal(await checkpoint.get("at"), String(token));
  }
});

test("a Redis at its maxmemory takes no lease away, and keeps the checkpoint", { skip }, async (t) => {
  const redis = await startRedis(["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
  t.after(() => redis.stop());
  const { checkpoint, signal } = await gained(t, { url: redis.url });
  await redis.command("CONFIG SET maxmemory 1");
  assert.match(await redis.command("SET full 1"), /^-OOM/);
  await checkpoint.set("at", "7");
  const other = openRedisLeases({ url: redis.url, times: quick }, deps);
  const stolen: Lease[] = [];
  const trying = other.hold("w", async (lease) => void stolen.push(lease));
  const renewed = async () => Number((await redis.command("PTTL eyrie:{lease:w}:holder")).slice(1)) > 0;
  const since = performance.now();
  await until("more than a lease's time has gone by", () => performance.now() - since > 2 * quick.leaseMs);
  assert.ok(await renewed());
  assert.equal(signal.aborted, false);
  assert.deepEqual(stolen, []);
  assert.equal(await checkpoint.get("at"), "7");
  await trying.close();
  await other.close();
});

test("with the embedded queue the lease is always held, and its checkpoint a file of the owner's", async (t) => {
  const { dir, remove } = scratch();
  t.after(remove);
  const held: Lease[] = [];
  const work = async (lease: Lease) => void held.push(lease);
  for (const opened of [0, 1]) {
    const leases = await openLeases({ driver: "sqlite", dir }, deps);
    const holds = [0, 1].map(() => leases.hold("kafka.one", work));
    await until("both are held", () => held.length === 2);
    await Promise.all(holds.map((hold) => hold.close()));
    await leases.close();
    const [, last] = held.splice(0);
    assert.equal(await last?.checkpoint.get("at"), opened === 0 ? undefined : "399");
    // Writes that are on their way together go one after the other.
    await Promise.all(Array.from({ length: 400 }, (_, n) => last?.checkpoint.set("at", String(n))));
  }
  assert.deepEqual(readdirSync(dir), ["kafka.one@lease.json"]);
  assert.equal(statSync(join(dir, "kafka.one@lease.json")).mode & 0o777, 0o600);
});
