import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { openAuditClient } from "../support/audit-client.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { freePort } from "../support/real-server.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { golden } from "../unit/audit/support.ts";

const rounds = 4;
const kills = 3;
const connections = 6;

interface Post {
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** The recorded POSTs, `rounds` times with other ids, so that no body is the redelivery of another. */
const posts = (): readonly { path: string; headers: Record<string, string>; body: Buffer; keys: readonly string[] }[] =>
  Array.from({ length: rounds }, (_, round) =>
    (golden("kube-posts") as Post[]).map(({ url, rawHeaders, body: recorded }) => {
      const body = Buffer.from(recorded.replaceAll('"auditID":"', `"auditID":"${round}-`));
      const headers: Record<string, string> = {};
      for (let i = 0; i < rawHeaders.length; i += 2) headers[String(rawHeaders[i])] = String(rawHeaders[i + 1]);
      const { items } = JSON.parse(body.toString()) as { items: Record<string, unknown>[] };
      const keys = items.map((e) => `${e.auditID} ${e.stage} ${e.stageTimestamp} ${e.requestURI}`);
      return { path: url, headers: { ...headers, "Content-Length": String(body.length) }, body, keys };
    }),
  ).flat();

const rule = `- rule: Every Event
  desc: Every audit event.
  condition: ka.auditid exists
  output: "%ka.auditid %ka.stage %jevt.value[/stageTimestamp] %ka.uri"
  priority: NOTICE
  source: k8s_audit
`;

const tally = (keys: Iterable<string>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

for (const driver of ["sqlite", "redis"] as const) {
  const skip = (driver === "redis" && redisMissing()) || false;
  describe(`queue driver ${driver}`, { skip }, () => {
    test("kill -9 and restart under the API server's batches: an alert of every event arrives, no batch is given up", async (t) => {
      const redis = driver === "redis" ? await startRedis() : undefined;
      const { dir, remove } = scratch();
      const sink = await openHttpSink();
      const port = await freePort();
      writeFileSync(join(dir, "rules.yaml"), rule);
      const config = `k8saudit: { listen: "http://127.0.0.1:${port}/k8s-audit" }
rules_files: ["${join(dir, "rules.yaml")}"]
webhook: { address: "${sink.url}/", maxconcurrentrequests: 16 }
`;
      const options = { datadir: dir, config, ...(redis && { env: { QUEUE_REDIS_URL: redis.url } }) };
      // Tries that span 25 s: room for starts on a machine that is busy.
      const client = openAuditClient(port, 3000);
      const queue = [...posts()];
      const batches = queue.length;
      const owed = queue.flatMap(({ keys }) => keys);
      let answered = 0;
      let sent = 0;
      const dropped: string[] = [];
      let hub = await startHub(options);
      try {
        const sender = async (): Promise<void> => {
          for (let next = queue.shift(); next; next = queue.shift()) {
            const { delivered, posts: tries } = await client.send(next.path, next.headers, next.body);
            sent += tries;
            answered++;
            if (!delivered) dropped.push(next.path);
          }
        };
        const senders = Promise.all(Array.from({ length: connections }, sender));
        for (let life = 1; life <= kills; life++) {
          await until("batches were answered", () => answered >= (life * batches) / (kills + 2));
          await hub.stop("SIGKILL");
          hub = await startHub(options);
        }
        await senders;
        assert.deepEqual(dropped, []);

        const bodies = () => sink.requests.map(({ body }) => JSON.parse(body) as { uuid: string; output: string });
        const alertsById = () => new Map(bodies().map((alert) => [alert.uuid, alert]));
        // "HH:MM:SS.nnnnnnnnn: Notice <key>"
        const arrived = () => tally([...alertsById().values()].map(({ output }) => output.replace(/^\S+ \S+ /, "")));
        const lost = (): string[] => {
          const got = arrived();
          return [...tally(owed)].filter(([key, times]) => (got.get(key) ?? 0) < times).map(([key]) => key);
        };
        await until("an alert of every event", () => sink.count() >= owed.length && lost().length === 0).catch(
          () => {},
        );
        assert.deepEqual(lost().slice(0, 10), [], `${lost().length} lost`);
        const known = new Set(owed);
        assert.deepEqual(
          [...arrived().keys()].filter((key) => !known.has(key)),
          [],
        );
        const distinct = alertsById().size;
        t.diagnostic(
          `${owed.length} events in ${batches} batches, ${sent} POSTs; ${distinct - owed.length} events taken twice, ` +
            `${sink.count() - distinct} alerts sent twice`,
        );
        // Taken twice: batches whose answer the kill cut off. Sent twice: what was in flight or not yet written down as done.
        assert.ok(distinct - owed.length <= kills * connections * 400);
        assert.ok(sink.count() - distinct <= kills * 2000, `${sink.count() - distinct} alerts sent twice`);
        assert.ok(sent > batches, "no kill met a batch on its way");
      } finally {
        await hub.stop("SIGKILL");
        client.close();
        await sink.close();
        await redis?.stop();
        remove();
      }
    });
  });
}
