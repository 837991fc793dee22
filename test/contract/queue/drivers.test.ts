import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRedisQueue } from "../../../src/queue/redis/driver.ts";
import { openSpillingQueue } from "../../../src/queue/spill.ts";
import { openSqliteQueue } from "../../../src/queue/sqlite/driver.ts";
import { redisMissing, startRedis } from "../../support/redis.ts";
import { suite } from "./suite.ts";

const folder = () => mkdtempSync(join(tmpdir(), "eyrie-queue-"));
const common = { now: Date.now, throwDelayMs: 10 };

for (const durability of ["normal", "full"] as const)
  suite(`sqlite (${durability})`, "sqlite", async () => {
    const dir = folder();
    return {
      open: async () => openSqliteQueue({ ...common, dir, durability }),
      end: async () => rmSync(dir, { recursive: true, force: true }),
    };
  });

const missing = redisMissing();

suite(
  "redis",
  "redis",
  async () => {
    const server = await startRedis();
    return { open: async () => openRedisQueue({ ...common, url: server.url }), end: () => server.stop() };
  },
  missing,
);

suite(
  "redis with spill",
  "redis",
  async () => {
    const server = await startRedis();
    const dir = folder();
    return {
      open: () =>
        openSpillingQueue(
          openRedisQueue({ ...common, url: server.url }),
          openSqliteQueue({ ...common, dir, durability: "normal" }),
        ),
      end: async () => {
        await server.stop();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  },
  missing,
);
