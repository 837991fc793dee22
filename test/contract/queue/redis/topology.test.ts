/** The Redis driver against Sentinel, Cluster and TLS, each with real servers. They mostly wait: all run at once. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openQueue, type QueueDeps, type QueueSettings } from "../../../../src/queue/open.ts";
import { openRedisQueue, type RedisQueueSettings } from "../../../../src/queue/redis/driver.ts";
import { makeAuthority } from "../../../fakes/certificates.ts";
import { chunk, countingHandle, recorder } from "../../../support/queues.ts";
import { redisMissing } from "../../../support/redis.ts";
import { startCluster, startSentinel, startTls } from "../../../support/redis-topology.ts";
import { until } from "../../../support/until.ts";

const skip = redisMissing() ?? false;

async function spilling(t: TestContext, redis: QueueSettings["redis"], deps: Partial<QueueDeps> = {}) {
  const datadir = mkdtempSync(join(tmpdir(), "eyrie-topology-"));
  const settings = { driver: "redis", durability: "normal", datadir, ...(redis && { redis }) } as const;
  const queue = await openQueue(settings, { now: Date.now, retryMs: 50, ...deps });
  t.after(async () => {
    await queue.close();
    rmSync(datadir, { recursive: true, force: true });
  });
  return queue;
}

function plain(t: TestContext, settings: Omit<RedisQueueSettings, "now">) {
  const queue = openRedisQueue({ throwDelayMs: 10, ...settings, now: Date.now });
  t.after(() => queue.close());
  return queue;
}

const ids = (from: string, count: number) => Array.from({ length: count }, (_, i) => `${from}${i}`);

describe("redis queue: topologies", { skip, timeout: 60_000, concurrency: true }, () => {
  const takeover = async (t: TestContext, how: "kill" | "freeze") => {
    const { primary, replica, caughtUp, settings } = await startSentinel(t);
    const outages: boolean[] = [];
    const queue = await spilling(
      t,
      { sentinel: settings, commandTimeoutMs: 500 },
      { onOutage: (away) => outages.push(away) },
    );
    const { handle } = recorder((item) => ({ next: [{ ...item, lane: "out:x", id: `${item.id}>x` }] }));
    const out = recorder();
    queue.consume("alerts", handle, 2);
    queue.consume("out:x", out.handle, 2);
    const delivered = (names: readonly string[]) => {
      const seen = new Set(out.items.map((i) => i.id));
      return names.every((id) => seen.has(`${id}>x`));
    };
    const before = ids("before", 30);
    for (const id of before) await queue.push([chunk("alerts", id)]);
    const waiting = ids("waiting", 20);
    await queue.push(waiting.map((id) => chunk("out:later", id)));
    await until("delivered before", () => delivered(before));
    assert.equal(queue.status().spilled, 0);
    // Replication is asynchronous: what the replica had not received when the primary died would be lost.
    await caughtUp();
    await primary[how]();
    t.after(() => primary.thaw());

    const during: string[] = [];
    await until("the replica is primary and Redis takes pushes again", async () => {
      const id = `during${during.length}`;
      await queue.push([chunk("alerts", id)]);
      during.push(id);
      await sleep(10);
      return outages.at(-1) === false;
    });
    assert.equal((await replica.command("SET writable 1")).slice(0, 3), "+OK");
    const after = ids("after", 30);
    for (const id of after) await queue.push([chunk("alerts", id)]);
    await until("everything delivered", () => delivered([...during, ...after]));
    const later = recorder();
    queue.consume("out:later", later.handle, 2);
    await until("what waited is still there", () => later.items.length === waiting.length);
    assert.deepEqual(later.items.map((i) => i.id).sort(), [...waiting].sort());
    await until("spill empty", () => queue.status().spilled === 0);
    assert.equal(queue.status().writable, true);

    await replica.command("CONFIG SET requirepass canary-right");
    const stranger = plain(t, { sentinel: settings, password: "canary-wrong" });
    await until("the reason", () => stranger.status().warnings.join() === "Redis refuses the password", 5000).catch(
      () => assert.deepEqual(stranger.status().warnings, ["Redis refuses the password"]),
    );
  };

  test("behind Sentinel: the primary dies, the replica takes over, no push is refused and everything arrives", (t) =>
    takeover(t, "kill"));
  test("behind Sentinel: the primary hangs with its connections open, the same", (t) => takeover(t, "freeze"));

  test("a Cluster of three primaries: lanes on all of them, children, retry, dead, redrive, depth, lanes", async (t) => {
    const { servers, nodes } = await startCluster(t);
    // One address is enough: the others are learnt.
    const queue = plain(t, { cluster: nodes.slice(0, 1) });
    await queue.ping();
    const outs = ids("out:", 9);
    await queue.push([...ids("k", 10).map((id) => chunk("alerts", id)), chunk("events", "e0")]);
    assert.deepEqual([...(await queue.lanes())].sort(), ["alerts", "events"]);
    assert.deepEqual(await queue.depth("alerts"), {
      waiting: 10,
      active: 0,
      delayed: 0,
      dead: 0,
      oldestAt: 1_700_000_000_000,
    });

    const { items, handle } = recorder((item) => ({
      next: outs.map((lane) => ({ lane, id: `${item.id}>${lane}`, body: item.body, count: 1, at: item.at })),
    }));
    queue.consume("alerts", handle, 3);
    await until("children", async () => (await Promise.all(outs.map(queue.depth))).every((d) => d.waiting === 10));
    assert.equal(items.length, 10);
    const held = await Promise.all(servers.map((s) => s.command("DBSIZE")));
    assert.ok(
      held.every((answer) => Number(answer.slice(1)) > 10),
      `lanes are spread: ${held}`,
    );

    const [lane = ""] = outs;
    let mercy = false;
    const out = recorder((item) => {
      if (mercy) return {};
      if (item.attempt === 0) return { retry: { body: `${item.body}!`, count: 1, inMs: 20 } };
      return { dead: [{ body: item.body, count: 1, why: "no" }] };
    });
    queue.consume(lane, out.handle, 2);
    await until("dead", async () => (await queue.depth(lane)).dead === 10);
    assert.deepEqual([...new Set(out.items.map((i) => i.attempt))].sort(), [0, 1]);
    const letters = await queue.dead(lane, 20);
    assert.ok(letters.length === 10 && letters.every((l) => l.body.endsWith("!") && l.why === "no"));
    assert.equal(await queue.discard(lane, [letters[0]!.id]), 1);
    mercy = true;
    assert.equal(await queue.redrive(lane), 9);
    await until("redriven", () => out.items.length === 29);
    await until("lane empty", async () => !(await queue.lanes()).includes(lane));
    assert.deepEqual([...(await queue.lanes())].sort(), ["events", ...outs.slice(1)].sort());
    assert.deepEqual(queue.status(), { driver: "redis", writable: true, durable: true, warnings: [] });

    for (const server of servers) await server.command("CONFIG SET requirepass canary-right");
    const known = plain(t, { cluster: nodes, password: "canary-right" });
    await known.push([chunk("alerts", "with password"), chunk("events", "with password")]);
    const stranger = plain(t, { cluster: nodes, password: "canary-wrong" });
    await assert.rejects(stranger.push([chunk("alerts", "x")]), (error: Error) => !/canary|127/.test(String(error)));
    await until("the reason", () => stranger.status().warnings.join() === "Redis refuses the password", 5000).catch(
      () => assert.deepEqual(stranger.status().warnings, ["Redis refuses the password"]),
    );
  });

  test("a Cluster: each lane's state lies where the lane does, and changes with its children on other servers", async (t) => {
    const { servers, nodes } = await startCluster(t);
    const queue = plain(t, { cluster: nodes });
    const lanes = ids("lane", 6);
    await queue.push(lanes.flatMap((lane) => ids("k", 10).map((id) => chunk(lane, id))));
    for (const lane of lanes) queue.consume(lane, countingHandle(queue, lane, `out:${lane}`), 3);
    await until("all moved", async () =>
      (await Promise.all(lanes.map((lane) => queue.depth(`out:${lane}`)))).every((d) => d.waiting === 10),
    );
    const counted = await Promise.all(lanes.map((lane) => queue.state(lane).get("events")));
    assert.deepEqual(
      counted.map((entry) => entry?.value),
      lanes.map(() => "10"),
    );
    const held = await Promise.all(servers.map((s) => s.command("KEYS *:state")));
    assert.ok(held.filter((keys) => keys !== "*0").length > 1, `spread: ${held}`);
  });

  test("a Cluster that loses a primary: no push is refused and everything arrives when it is back", async (t) => {
    const { servers, nodes } = await startCluster(t);
    const queue = await spilling(t, { cluster: nodes, commandTimeoutMs: 500 });
    const lanes = ids("lane", 6);
    const { items, handle } = recorder();
    for (const lane of lanes) queue.consume(lane, handle, 1);
    const push = (id: string) => Promise.all(lanes.map((lane) => queue.push([chunk(lane, id)])));
    await push("before");
    await until("before", () => items.length === 6);
    await servers[1]!.kill();
    for (const id of ids("during", 20)) await push(id);
    assert.ok((queue.status().spilled ?? 0) > 0);
    await servers[1]!.start();
    await push("after");
    await until("all", () => new Set(items.map((i) => i.lane + i.id)).size === 6 * 22);
    await until("spill empty", () => queue.status().spilled === 0);
  });

  test("rediss:// with a private CA and a password; a wrong one of either is named, and no secret is told", async (t) => {
    const authority = makeAuthority();
    const address = await startTls(t, authority, "canary-right");
    const tls = { ca: authority.ca };
    const good = plain(t, { url: `rediss://:canary-right@${address}`, tls });
    await good.ping();
    await good.push([chunk("k", "a")]);
    const { items, handle } = recorder();
    good.consume("k", handle, 1);
    await until("delivered", () => items.length === 1);
    assert.deepEqual(good.status().warnings, []);

    const refused = async (what: RegExp, settings: Omit<RedisQueueSettings, "now">) => {
      const queue = plain(t, settings);
      await assert.rejects(queue.push([chunk("k", "b")]), (error: Error) => !/canary|127/.test(String(error)));
      await until("the reason", () => queue.status().warnings.some((w) => what.test(w)), 5000).catch(() => {
        assert.match(queue.status().warnings.join("; "), what);
      });
      assert.ok(!/canary|127/.test(queue.status().warnings.join()));
      assert.equal(queue.status().writable, false);
    };
    await refused(/refuses the password/, { url: `rediss://:canary-wrong@${address}`, tls });
    await refused(/wants a password/, { url: `rediss://${address}`, tls });
    await refused(/certificate is not trusted/, {
      url: `rediss://:canary-right@${address}`,
      tls: { ca: makeAuthority().ca },
    });
  });
});
