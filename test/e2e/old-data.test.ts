import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type HttpSink, openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { auditEvent } from "../unit/audit/support.ts";

/** How these were made: test/golden/old-data/README.md. */
const old = join(import.meta.dirname, "../golden/old-data");

const rule = `- rule: Every Event
  desc: Every audit event.
  condition: ka.auditid exists
  output: "%ka.auditid %ka.cluster.name"
  priority: NOTICE
  source: k8s_audit
`;

/** A copy of a data directory, unpacked into `data`, its checkpoint of the log that lies beside it. */
const unpack = (driver: string, dir: string): void => {
  const data = join(dir, "data");
  cpSync(join(old, driver), data, { recursive: true });
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.name.endsWith(".gz")) continue;
    writeFileSync(path.slice(0, -".gz".length), gunzipSync(readFileSync(path)));
    rmSync(path);
  }
  const checkpoint = join(data, "checkpoints/k8saudit.json");
  writeFileSync(checkpoint, readFileSync(checkpoint, "utf8").replace("/old/", `${dir}/`));
  cpSync(join(data, "audit.log"), join(dir, "audit.log"));
  writeFileSync(join(dir, "rules.yaml"), rule);
};

/** Fills an empty Redis by the commands of an append-only file. */
const replay = async (port: number, commands: Buffer): Promise<void> => {
  const socket = connect(port, "127.0.0.1");
  let answers = "";
  socket.on("data", (data: Buffer) => {
    answers += data.toString();
  });
  socket.write(commands);
  socket.end("*2\r\n$4\r\nECHO\r\n$4\r\ndone\r\n");
  await once(socket, "close");
  assert.match(answers, /done\r\n$/);
  assert.doesNotMatch(answers, /^-/m);
};

interface Delivered {
  readonly time: string;
  readonly output: string;
}

const deliveredTo = (sink: HttpSink): readonly Delivered[] =>
  sink.requests.map(({ body }) => JSON.parse(body) as Delivered);

/** What each alert is told apart by: `alert-1-`, `event-1-`, `test`. */
const namesOf = (alerts: readonly Delivered[]): string[] =>
  [...new Set(alerts.map(({ output }) => /(?:alert|event)-\d+-/.exec(output)?.[0] ?? "test"))].sort();

const numbered = (what: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${what}-${from + i}-`);

/** Sends an output's dead letters again and resolves with the reasons for which they were given up. */
const redrive = async (url: string, output: string): Promise<readonly string[]> => {
  const letters = await fetch(`${url}/api/v1/dead-letters?output=${output}`);
  const { deadLetters } = (await letters.json()) as { deadLetters: { readonly why: string }[] };
  const answer = await fetch(`${url}/api/v1/dead-letters/redrive`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ output }),
  });
  assert.equal(answer.status, 200);
  return [...new Set(deadLetters.map(({ why }) => why))];
};

const deliverAll = async (driver: "sqlite" | "redis"): Promise<void> => {
  const { dir, remove } = scratch();
  unpack(driver, dir);
  const redis = driver === "redis" ? await startRedis() : undefined;
  if (redis) await replay(redis.port, readFileSync(join(dir, "data/redis.aof")));
  const [waiting, delayed, dead] = await Promise.all([openHttpSink(), openHttpSink(), openHttpSink()]);
  const config = `customfields: { site: new }
k8saudit: { file: "${dir}/audit.log", follow: true }
rules_files: ["${dir}/rules.yaml"]
webhook:
  - { name: waiting, address: "${waiting.url}/", minimumpriority: notice }
  - { name: delayed, address: "${delayed.url}/", minimumpriority: notice }
  - { name: dead, address: "${dead.url}/", minimumpriority: notice }
`;
  const hub = await startHub({ datadir: dir, config, ...(redis && { env: { QUEUE_REDIS_URL: redis.url } }) });
  try {
    // The rest of event 6, whose beginning the old hub had seen.
    appendFileSync(join(dir, "audit.log"), `${auditEvent({}, "event-6-").slice(40)}\n${auditEvent({}, "event-11-")}\n`);
    const alerts = redis ? 16 : 12;
    const owed = [...numbered("alert", 1, alerts), ...numbered("event", 1, 11), "test"].sort();
    const all = (sink: HttpSink) => () => namesOf(deliveredTo(sink)).length >= owed.length;
    await until("what waited is delivered", all(waiting));
    await until("what was to be tried again is delivered", all(delayed));
    assert.deepEqual(namesOf(deliveredTo(waiting)), owed);
    assert.deepEqual(namesOf(deliveredTo(delayed)), owed);

    const late = [...numbered("alert", 9, alerts), ...numbered("event", 6, 11), "test"].sort();
    await until("the third output has what was in front of it", () => namesOf(deliveredTo(dead)).length >= late.length);
    assert.deepEqual(namesOf(deliveredTo(dead)), late);
    assert.deepEqual(await redrive(hub.url, "webhook.dead"), ["client_error: HTTP 400"]);
    await until("the dead letters are delivered", all(dead));
    assert.deepEqual(namesOf(deliveredTo(dead)), owed);

    for (const sink of [waiting, delayed, dead]) assertContent(deliveredTo(sink));
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    assert.match(metrics, /^falcosecurity_falcosidekick_inputs_total\{source="k8saudit",status="accepted"\} 2$/m);
    assert.doesNotMatch(metrics, /^eyrie_source_gaps_total\{/m);
  } finally {
    await hub.stop();
    await Promise.all([waiting, delayed, dead].map((sink) => sink.close()));
    await redis?.stop();
    remove();
  }
};

/** Alerts are what was posted then, with the fields of that time; times and clusters of events have come through. */
const assertContent = (alerts: readonly Delivered[]): void => {
  for (const alert of alerts) {
    const n = Number(/alert-(\d+)-/.exec(alert.output)?.[1] ?? 0);
    const was = falcoAlert(n) as { readonly output_fields: object };
    if (n > 0) assert.deepEqual(alert, { ...was, output_fields: { ...was.output_fields, site: "old" } });
    const event = /event-(\d+)- (\S+)/.exec(alert.output);
    if (event) assert.equal(event[2], ["9", "10"].includes(event[1] ?? "") ? "west" : "<NA>");
    // Of an event that came without a time: when it was taken.
    if (event?.[1] === "7") assert.match(alert.time, /^2025-06-01T/);
    if (event?.[1] === "8") assert.equal(alert.time, "2024-03-01T10:00:01.000000123Z");
  }
};

describe("data directories of an older hub", { concurrency: true }, () => {
  test("the embedded queue", () => deliverAll("sqlite"));
  test("Redis and its spill", { skip: redisMissing() ?? false }, () => deliverAll("redis"));
});
