import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";
import { auditEvent } from "../unit/audit/support.ts";

const rule = `- rule: Every Event
  desc: Every audit event.
  condition: ka.auditid exists
  output: "%ka.auditid"
  priority: NOTICE
  source: k8s_audit
`;

test("an audit log that is rotated, copied and cut while the hub is killed and started loses no event, and gaps are counted", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const file = join(dir, "audit.log");
  writeFileSync(join(dir, "rules.yaml"), rule);
  const config = `k8saudit: { file: "${file}", follow: true }
rules_files: ["${join(dir, "rules.yaml")}"]
webhook: { address: "${sink.url}/" }
`;
  let last = 0;
  const write = (count: number): void => {
    for (let i = 0; i < count; i++) appendFileSync(file, `${auditEvent({}, `e${++last}.`)}\n`);
  };
  const heard = (): Set<string> => new Set(sink.requests.flatMap(({ body }) => body.match(/e\d+\./g) ?? []));
  const all = () => until("an alert of every event", () => heard().size === last);
  const options = { datadir: dir, config };
  write(3);
  let hub = await startHub(options);
  try {
    await all();
    await hub.stop("SIGKILL");
    write(3);
    renameSync(file, `${file}.1`);
    write(3);
    hub = await startHub(options);
    await all();
    copyFileSync(file, `${file}.2`);
    truncateSync(file, 0);
    write(9);
    await all();
    await hub.stop();
    write(1);
    renameSync(`${file}.1`, `${file}.3`);
    renameSync(file, `${file}.1`);
    write(2);
    hub = await startHub(options);
    await all();
    const gaps = async () => /^eyrie_source_gaps_total\{source="k8saudit"\} (\d+)$/m.exec(await scrape())?.[1];
    const scrape = async () => (await fetch(`${hub.url}/metrics`)).text();
    assert.equal(await gaps(), undefined);
    truncateSync(file, 0);
    write(1);
    await all();
    assert.equal(await gaps(), "1");
    assert.match(hub.output(), /audit events may be missing/);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});

test("a folder that is to be followed stops the start", async () => {
  const { dir, remove } = scratch();
  mkdirSync(join(dir, "audit"));
  try {
    const config = `k8saudit: { file: "${join(dir, "audit")}", follow: true }\n`;
    await assert.rejects(startHub({ datadir: dir, config }), /k8saudit\.file: a folder cannot be followed/);
  } finally {
    remove();
  }
});
