import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { runEyrie } from "../support/command.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { auditEvent } from "../unit/audit/support.ts";

const root = join(import.meta.dirname, "../..");
const fixture = join(root, "test/fixtures/sources/replay.ts");
const { dir, remove } = scratch();
const checkout = join(dir, "checkout");
const at = (name: string): string => join(dir, name);

const event = (id: string, hour: string) =>
  auditEvent({ verb: "create", stageTimestamp: `2024-01-01T${hour}:30:00.000000Z` }, id);

const rules = `- rule: At Night
  desc: What is made at night.
  condition: replay.hour < 6 and ka.verb = create
  output: "%ka.auditid at %replay.hour from %evt.pluginname"
  priority: NOTICE
  source: replayed
- rule: Of The API Server
  desc: What the webhook would bring.
  condition: ka.verb = create
  output: "%ka.auditid"
  priority: NOTICE
  source: k8s_audit
`;

const eyrie = (...args: readonly string[]) => runEyrie(args, {}, dir, checkout);

/** This checkout with one file more, after `npm run gen`. */
before(() => {
  const left = /^(?:node_modules|\.git|test|bench)$/;
  cpSync(root, checkout, { recursive: true, filter: (path) => !left.test(relative(root, path)) });
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  writeFileSync(
    join(checkout, "sources/replay.ts"),
    readFileSync(fixture, "utf8").replaceAll("../../../src/", "../src/"),
  );
  execFileSync(process.execPath, ["scripts/gen.ts"], { cwd: checkout });
  writeFileSync(at("rules.yaml"), rules);
  mkdirSync(at("events"));
  writeFileSync(at("events/1.jsonl"), `${event("one", "02")}\nno event\n${event("two", "12")}\n`);
});
after(remove);

test("a new source is one file of less than 60 lines, and nothing under src changes for it", () => {
  assert.ok(readFileSync(fixture, "utf8").trimEnd().split("\n").length < 60);
  const namesIn = (folder: string) => readdirSync(join(folder, "src"), { recursive: true }).map(String).toSorted();
  assert.deepEqual(namesIn(checkout), namesIn(root));
  for (const name of namesIn(root).filter((path) => /\.[jt]s$/.test(path)))
    assert.equal(
      readFileSync(join(checkout, "src", name), "utf8"),
      readFileSync(join(root, "src", name), "utf8"),
      name,
    );
  assert.match(readFileSync(join(checkout, "sources/index.ts"), "utf8"), /import replay from "\.\/replay\.ts"/);
  assert.ok("replay" in JSON.parse(readFileSync(join(checkout, "config/schema.json"), "utf8")).properties);
});

test("fields lists what it brings, and extracts from a file of its events", async () => {
  assert.match((await eyrie("fields")).stdout, /^replay\.hour +number/m);
  assert.match((await eyrie("fields", "--source", "replayed")).stdout, /^replay\.hour +number/m);
  assert.doesNotMatch((await eyrie("fields", "--source", "k8s_audit")).stdout, /replay\.hour/);
  const file = at("events/1.jsonl");
  const { stdout, stderr } = await eyrie("fields", "--source", "replayed", "--select", "replay.hour,ka.auditid", file);
  assert.equal(stdout, '{"replay.hour":2,"ka.auditid":"one"}\n{"replay.hour":12,"ka.auditid":"two"}\n');
  assert.match(stderr, /1\.jsonl:2: not JSON/);
  assert.match(
    (await eyrie("fields", "--source", "nosuch")).stderr,
    /no source "nosuch"; there are k8s_audit, replayed/,
  );
});

test("run judges its events by its rules: named, or read where the plugin of falco.yaml says", async () => {
  assert.match((await eyrie("run", "--list")).stdout, /^replay\.hour /m);
  const file = at("events/1.jsonl");
  const named = await eyrie("run", "-r", at("rules.yaml"), "--enable-source", "replayed", file);
  assert.match(named.stdout, /Notice one at 2 from replay\nEvents detected: 1\n/);
  writeFileSync(at("falco.yaml"), `plugins: [{name: replay, library_path: x, open_params: ${at("events")}}]\n`);
  const loaded = await eyrie("run", "-c", at("falco.yaml"), "-r", at("rules.yaml"));
  assert.match(loaded.stdout, /Notice one at 2 from replay\nEvents detected: 1\n/);
  assert.match(loaded.stderr, /Nothing here feeds source k8s_audit/);
  // In a rule for system calls its fields tell that the source was forgotten, as those of audit events do.
  writeFileSync(at("forgot.yaml"), rules.replace("  source: replayed\n", ""));
  assert.match((await eyrie("run", "-V", at("forgot.yaml"))).stdout, /Invalid\n1 Errors:/);
  const usual = await eyrie("run", "-r", at("rules.yaml"), file);
  assert.match(usual.stdout, /Notice one\n.*Notice two\nEvents detected: 2\n/);
});

test("test tries its rules, and check-config knows its keys, its rules and what is wrong with its values", async () => {
  const written = `source: replayed\ntests:\n  - { name: night, rules: rules.yaml, events: [{ verb: create }], expect: At Night }\n`;
  writeFileSync(at("night.test.yaml"), written);
  assert.match((await eyrie("test", at("night.test.yaml"))).stdout, /^ok 1 - night\n/);
  const config = (folder: string): string => `replay: { folder: ${folder} }\nrules_files: [${at("rules.yaml")}]\n`;
  writeFileSync(at("good.yaml"), config(at("events")));
  const good = await eyrie("check-config", "-o", `datadir=${at("data")}`, "-o", "listenport=0", at("good.yaml"));
  assert.match(good.stdout, /^source +replay$/m);
  assert.match(good.stdout, /2 rules of 2 take part, 1 of replayed, 1 of k8s_audit/);
  assert.equal(good.code, 0, good.stdout);
  writeFileSync(at("bad.yaml"), config(at("nowhere")));
  const bad = await eyrie("check-config", at("bad.yaml"));
  assert.match(bad.stdout, /^error +.*bad\.yaml:1:\d+: replay\.folder: is not there$/m);
  assert.equal(bad.code, 1);
});

test("the hub judges what it brings, counts what it drops, and reads no file again after a kill", async () => {
  const file = at("alerts.jsonl");
  const config = `replay: { folder: ${at("events")} }
rules_files: [${at("rules.yaml")}]
file: { filename: ${file} }
`;
  const options = { datadir: dir, config, checkout };
  const alerts = (): readonly string[] =>
    existsSync(file)
      ? Array.from(readFileSync(file, "utf8").matchAll(/"ka\.auditid":"(\w+)"/g), ([, id]) => id ?? "")
      : [];
  const mark = at("data/checkpoints/replay@lease.json");
  const read = () => (existsSync(mark) ? Object.keys(JSON.parse(readFileSync(mark, "utf8"))) : []);
  let hub = await startHub(options);
  try {
    await until("the alert of the night", () => alerts().length === 1 && read().length === 1);
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    assert.match(metrics, /source="replay",status="accepted"\} 2$/m);
    assert.match(metrics, /source="replay",status="rejected"\} 1$/m);
    await hub.stop("SIGKILL");
    writeFileSync(at("events/2.jsonl"), `${event("three", "03")}\n`);
    appendFileSync(at("events/1.jsonl"), `${event("late", "04")}\n`);
    hub = await startHub(options);
    await until("the alert of the second file", () => alerts().length === 2);
    assert.deepEqual(alerts(), ["one", "three"]);
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
  }
});

test("hubs that share a Redis share how far a folder was read: each file is read once, also after a kill of all", {
  skip: redisMissing() ?? false,
}, async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const shared = scratch();
  t.after(shared.remove);
  const folder = join(shared.dir, "events");
  mkdirSync(folder);
  const add = (name: string): void => writeFileSync(join(folder, `${name}.jsonl`), `${event(name, "02")}\n`);
  const sink = await openHttpSink();
  t.after(() => sink.close());
  const heard = () => sink.requests.flatMap(({ body }) => body.match(/"ka\.auditid":"\w+"/g) ?? []).length;
  const config = `replay: { folder: ${folder} }
rules_files: [${at("rules.yaml")}]
webhook: { address: "${sink.url}/" }
queue: { redis: { url: "${redis.url}" } }
`;
  const open = (name: string) => {
    mkdirSync(join(shared.dir, name));
    return startHub({ datadir: join(shared.dir, name), config, checkout });
  };
  add("one");
  add("two");
  const hubs = await Promise.all(["a", "b"].map(open));
  const marks = () => redis.command("HLEN {eyrie}:lease:replay:checkpoint");
  await until("the alerts of both files", async () => heard() === 2 && (await marks()) === ":2");
  // Work that has ended is not begun again in this process: a hub that starts reads what is new.
  await Promise.all(hubs.map((hub) => hub.stop("SIGKILL")));
  add("three");
  const next = await open("c");
  await until("the alert of the third file", () => heard() === 3);
  assert.equal(await next.stop(), 0);
  assert.equal(heard(), 3);
});
