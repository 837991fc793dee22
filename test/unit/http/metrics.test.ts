import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gunzipSync } from "node:zlib";
import { createPage } from "../../../src/http/page.ts";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import type { Alert } from "../../../src/sdk/alert.ts";
import { until } from "../../support/until.ts";
import { parseReply, request, sendRaw, start } from "./support.ts";

const alertOf = (i: number, length = 40): Alert => ({
  uuid: "",
  time: "2025-01-15T10:20:30Z",
  rule: `${i}-${"r".repeat(length)}`,
  priority: "Warning",
  source: "s".repeat(length),
  output: "o",
  hostname: "h".repeat(length),
  tags: [],
  output_fields: { "k8s.ns.name": "n".repeat(length), "k8s.pod.name": `${i}-${"p".repeat(length)}` },
  added: [],
});

const scrapeText = (port: number, headers = ""): Promise<string> =>
  sendRaw(port, `GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);

test("whatever senders write, the page stays within its bytes and its series, and the rest is counted and named once", async () => {
  for (const length of [10, 1000]) {
    let told = 0;
    const metrics = createMetrics({
      process: false,
      now: () => 0,
      series: { maxSeries: 500, maxBytes: 200_000, maxLabel: 64 },
      seriesFull: () => told++,
    });
    const empty = (await metrics.expose()).length;
    for (let i = 0; i < 5000; i++) metrics.event(alertOf(i, length));
    const text = await metrics.expose();
    const lines = text.split("\n").filter((line) => line.startsWith("falcosecurity_falcosidekick_falco_events_total{"));
    assert.ok(lines.length <= 501, String(lines.length));
    assert.ok(text.length - empty < 205_000, String(text.length));
    const total = lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    assert.equal(total, 5000, "no alert is lost from the count");
    const over = lines.find((line) => line.includes('rule="overflow"'));
    assert.match(over ?? "", /priority_raw="warning"/);
    assert.match(text, new RegExp(`eyrie_events_series_overflow_total ${5000 - lines.length + 1}\\b`));
    assert.equal(told, 1);
  }
});

test("the page is made anew while that is cheap, and shared when it is not", async () => {
  let clock = 0;
  let made = 0;
  const page = createPage(
    async () => {
      clock += 200;
      return String(++made);
    },
    () => clock,
  );
  const seen: string[] = [];
  for (let i = 0; i < 10; i++) seen.push((await page()).plain.toString());
  assert.deepEqual(seen.slice(-6), new Array(6).fill(seen.at(-1)), "the last pages are one");
  assert.ok(made < 6);
  const before = made;
  clock += 60_000;
  assert.equal((await page()).plain.toString(), String(before + 1));
  const together = await Promise.all([page(), page(), page()]);
  assert.equal(new Set(together.map((one) => one.plain)).size, 1);
  const one = together[0]!;
  const [a, b] = await Promise.all([one.gzip(), one.gzip()]);
  assert.equal(a, b);
  assert.ok(gunzipSync(a).equals(one.plain));
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const full = () => {
  const metrics = createMetrics({ process: false, now: () => 0 });
  for (let i = 0; i < 10_000; i++) metrics.event(alertOf(i, 1000));
  return metrics;
};

test("forty readers that do not read share one page, the slowest give way, and a scraper is served", async (t) => {
  const metrics = full();
  const { port, logged } = await start(t, {}, { metrics });
  const page = (await metrics.expose()).length;
  assert.ok(page > 3_000_000 && page < 5_000_000);
  collect();
  const before = process.memoryUsage();
  const slow = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.pause();
      socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
      return socket;
    }),
  );
  await until("some are refused", () => logged.some((line) => line.includes("too many scrapes")));
  await wait(1100);
  const reply = parseReply(await scrapeText(port));
  assert.equal(reply.status, 200);
  assert.ok(reply.body.length >= page);
  const ready = await request(port, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.equal(ready.status, 200, "readers of the page do not close the door for alerts");
  collect();
  const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
  assert.ok(grown < 12 * page, `${grown} bytes beside a page of ${page}`);
  for (const socket of slow) socket.destroy();
});

test("with prometheus.token the page asks for it, whatever senders' tokens are", async (t) => {
  const { port, sample } = await start(t, {
    auth: { token: "senders-token" },
    metrics: { token: "scrapers-token" },
  });
  const status = async (headers: string) => parseReply(await scrapeText(port, headers)).status;
  assert.equal(await status(""), 401);
  assert.equal(await status("Authorization: Bearer senders-token\r\n"), 401);
  assert.equal(await status("Authorization: Bearer scrapers-token\r\n"), 200);
  assert.equal(await sample('eyrie_refusals_total{listener="metrics",reason="unauthorized"}'), 2);
  const ping = await request(port, "GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.equal(ping.status, 200);
});

test("a scraper that asks for gzip gets the same page compressed", async (t) => {
  const { port, metrics } = await start(t);
  metrics.event(alertOf(1));
  const reply = await new Promise<Buffer>((resolve, reject) => {
    const req = httpRequest({ port, path: "/metrics", headers: { "accept-encoding": "gzip" } }, async (res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of res) chunks.push(chunk as Buffer);
      assert.equal(res.headers["content-encoding"], "gzip");
      resolve(Buffer.concat(chunks));
    });
    req.on("error", reject);
    req.end();
  });
  assert.match(gunzipSync(reply).toString(), /falco_events_total\{hostname="h+",rule="1-r+"/);
});
