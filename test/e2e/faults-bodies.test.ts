import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Pool } from "undici";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";

const mebi = 2 ** 20;

test("bodies that mean harm are refused within bounded memory, and the door stays open", async (t) => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const hub = await startHub({
    datadir: dir,
    config: `limits:\n  maxalertbytes: ${32 * mebi}\nwebhook:\n  address: ${sink.url}/\n`,
  });
  const pool = new Pool(hub.url, { connections: 8 });
  let peak = hub.rss();
  const watch = setInterval(() => {
    peak = Math.max(peak, hub.rss());
  }, 20);
  /** The status, or `closed` when the hub hung up on the rest of the body. */
  const post = async (body: Buffer | string, headers: Record<string, string> = {}): Promise<number | "closed"> => {
    try {
      const reply = await pool.request({ method: "POST", path: "/", body, headers });
      await reply.body.dump();
      return reply.statusCode;
    } catch {
      return "closed";
    }
  };
  const several = (n: number, body: Buffer | string, headers?: Record<string, string>) =>
    Promise.all(Array.from({ length: n }, () => post(body, headers)));
  try {
    assert.equal(await post(JSON.stringify(falcoAlert(1))), 200);
    const before = hub.rss();
    peak = before;
    const bomb = gzipSync(Buffer.alloc(500 * mebi, 0x20), { level: 9 });
    for (const status of await several(4, bomb, { "content-encoding": "gzip" })) assert.equal(status, 413);
    const large = Buffer.alloc(100 * mebi, 0x20);
    for (const status of await several(4, large)) assert.ok(status === 413 || status === "closed", String(status));
    const cases: Record<string, string | Buffer> = {
      deep: "[".repeat(100_000),
      "deep objects": '{"a":'.repeat(100_000),
      "not UTF-8": Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
      empties: `[${"{},".repeat(2_000_000)}{}]`,
      "a long number": `{"rule":${"9".repeat(1_000_000)}}`,
      prototypes: JSON.stringify({ ...falcoAlert(2), priority: "none" }).replace("{", '{"__proto__":{"rule":"x"},'),
    };
    for (const [name, body] of Object.entries(cases)) {
      const status = await post(body);
      assert.ok(status === 400 || status === 413, `${name}: ${status}`);
    }
    const slow = connect(Number(new URL(hub.url).port), "127.0.0.1");
    await once(slow, "connect");
    slow.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{");
    const odd = {
      ...falcoAlert(3),
      output_fields: JSON.parse('{"__proto__":"p","constructor":1,"":null,"a":{"b":[]}}'),
    };
    assert.equal(await post(JSON.stringify(odd)), 200);
    const big = { ...falcoAlert(4), output: `alert-4-${"x".repeat(20 * mebi)}` };
    assert.equal(await post(JSON.stringify(big)), 200);
    await until("the large alert is delivered whole", () => sink.requests.some((r) => r.body.length > 20 * mebi));
    slow.destroy();
    assert.equal((await fetch(`${hub.url}/readyz`)).status, 200);
    t.diagnostic(`${before / mebi} MiB before, ${peak / mebi} MiB at most`);
    assert.ok(peak < 600 * mebi, `${(peak / mebi).toFixed(0)} MiB resident`);
    assert.equal(await hub.stop(), 0);
  } finally {
    clearInterval(watch);
    await hub.stop("SIGKILL");
    await pool.destroy();
    await sink.close();
    remove();
  }
});
