import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const skip = redisMissing() ?? false;

/** Does not shrink: Redis holds what it is sent. */
const large = (n: number) =>
  falcoAlert(n, { output_fields: { "proc.pid": n, noise: randomBytes(1500).toString("base64") } });

for (const roles of [["all"], ["worker", "intake"]] as const)
  test(`a full Redis and a dead destination, roles ${roles.join(" and ")}: the healthy one gets everything, the other when it is back`, {
    skip,
  }, async (t) => {
    const redis = await startRedis(["--appendonly", "yes", "--maxmemory", "5mb", "--maxmemory-policy", "noeviction"]);
    const [healthy, dead] = [await openHttpSink(), await openHttpSink()];
    dead.always({ status: 503 });
    const config = `webhook:
  - { name: healthy, address: "${healthy.url}/" }
  - { name: dead, address: "${dead.url}/", retry: { initial: 100ms, max: 1s }, breaker: { open: 1s } }
`;
    const places = roles.map(() => scratch());
    const start = () =>
      Promise.all(
        roles.map((role, i) =>
          startHub({
            datadir: places[i]?.dir ?? "",
            config,
            env: { QUEUE_REDIS_URL: redis.url },
            args: ["--role", role],
          }),
        ),
      );
    let hubs = await start();
    const numbers = (sink: typeof healthy) => sink.requests.flatMap((r) => alertNumbers(r.body));
    try {
      const { accepted, statuses } = await postAll(hubs.at(-1)?.url ?? "", 2500, large);
      assert.deepEqual(statuses, { 200: 2500 });
      await until("the healthy one has everything", () => new Set(numbers(healthy)).size === 2500);
      assert.match(hubs.map((hub) => hub.output()).join(""), /has reached its maxmemory/, "it never was full");
      // What it had in hand is locked for up to half a minute.
      if (roles.length === 1) {
        await Promise.all(hubs.map((hub) => hub.stop("SIGKILL")));
        hubs = await start();
      }
      const fresh = await postAll(hubs.at(-1)?.url ?? "", 1, () => large(2500));
      assert.equal(fresh.accepted.length, 1);
      await until("a fresh alert flows", () => numbers(healthy).includes(2500));
      const before = dead.count();
      dead.always({});
      await until(
        "the other has everything",
        () => {
          const got = new Set(dead.requests.slice(before).flatMap((r) => alertNumbers(r.body)));
          return [...accepted, 2500].every((n) => got.has(n));
        },
        120_000,
      );
      t.diagnostic(`repeated at the healthy one: ${numbers(healthy).length - 2501}`);
    } finally {
      await Promise.all(hubs.map((hub) => hub.stop("SIGKILL")));
      await Promise.all([healthy.close(), dead.close(), redis.stop()]);
      for (const { remove } of places) remove();
    }
  });
