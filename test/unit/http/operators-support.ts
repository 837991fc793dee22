import assert from "node:assert/strict";
import { deadLetters } from "../../../src/http/dead-letters.ts";
import { createLogger } from "../../../src/log/log.ts";
import type { Queue } from "../../../src/queue/queue.ts";
import { openSqliteQueue } from "../../../src/queue/sqlite/driver.ts";
import { scratch } from "../../support/hub-process.ts";
import { chunk } from "../../support/queues.ts";
import { until } from "../../support/until.ts";
import { start } from "./support.ts";

type After = Parameters<typeof start>[0];

export const line = (n: number, more = "") =>
  `{"uuid":"u-${n}","output":"o","priority":"Warning","rule":"R ${n}","output_fields":{"n":${n}${more}}}`;

/** A hub's port over a real queue whose lane `out:slack` holds `count` dead letters of one alert each. */
export const startApi = async (t: After, options: { count?: number; token?: string; queue?: Partial<Queue> } = {}) => {
  const { dir, remove } = scratch();
  const now = () => 1_700_000_100_000;
  const queue = openSqliteQueue({ dir, durability: "normal", now });
  const { count = 3 } = options;
  await queue.push(Array.from({ length: count }, (_, n) => chunk("out:slack", `c-${n}`, line(n))));
  const bury = queue.consume(
    "out:slack",
    async ({ body }) => ({ dead: [{ body, count: 1, why: "client_error: HTTP 400" }] }),
    4,
  );
  await until("all are dead", async () => (await queue.depth("out:slack")).dead === count);
  await bury.close(1000);
  const log = createLogger({ format: "json", level: "silent", secrets: [] }, { write: () => {} });
  const family = deadLetters({
    queue: { ...queue, ...options.queue },
    lanes: ["alerts", "out:slack", "out:webhook"],
    state: (lane) => (lane === "out:slack" ? { healthy: false } : undefined),
    token: () => options.token ?? "",
    log,
    now,
  });
  const started = await start(t, {}, { families: [family] });
  t.after(async () => {
    await queue.close();
    remove();
  });
  const call = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const how =
      body === undefined
        ? { headers }
        : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
    const reply = await fetch(`${started.url}/api/v1/${path}`, how);
    assert.equal(reply.headers.get("content-type"), "application/json");
    return { status: reply.status, body: JSON.parse(await reply.text()) };
  };
  return { ...started, queue, call };
};
