import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createLogger, type LogSettings } from "../../../src/log/log.ts";
import { plainText, steering, steeringText } from "../../support/steering.ts";

const capture = (settings: Partial<LogSettings>, isTTY = false) => {
  const lines: string[] = [];
  const log = createLogger(
    { format: "json", level: "info", secrets: [], ...settings },
    { write: (text: string) => lines.push(text), isTTY },
  );
  return { log, lines, text: () => lines.join("") };
};

test("a record is one JSON line with the level by name and the time in milliseconds", () => {
  const { log, lines } = capture({});
  log.info({ alerts: 3 }, "sent");
  assert.equal(lines.length, 1);
  const record = JSON.parse(lines[0]!);
  assert.equal(record.level, "info");
  assert.equal(record.msg, "sent");
  assert.equal(record.alerts, 3);
  assert.equal(typeof record.time, "number");
});

test("a secret is masked in messages, fields, nested values, errors, their stacks and child bindings", () => {
  const secret = 'can"ary\\s3cret';
  const { log, lines, text } = capture({ secrets: [secret] });
  log.info(`the token ${secret} and again ${secret}`);
  log.info({ deep: { list: [secret] } }, "field");
  log.error(new Error(`refused ${secret}`));
  log.child({ bound: secret }).warn("child");
  for (const line of lines) {
    const record = JSON.stringify(JSON.parse(line));
    assert.ok(!record.includes(JSON.stringify(secret).slice(1, -1)), line);
    assert.match(line, /\*\*\*/);
  }
  assert.match(text(), /the token \*\*\* and again \*\*\*/);
});

test("a secret is found percent-encoded, in base64, and as the path of a secret URL", () => {
  const { log, text } = capture({
    secrets: ["p@ss word/1", "https://hooks.example.com/services/T0/B0/canary99?key=canary77"],
  });
  log.info(`GET /x?p=${encodeURIComponent("p@ss word/1")}`);
  log.info(`Authorization: ${Buffer.from("p@ss word/1").toString("base64")}`);
  log.info("POST /services/T0/B0/canary99?key=canary77 failed");
  log.info("key canary77 was refused");
  assert.doesNotMatch(text(), /p%40ss|canary99|canary77|cEBzcyB3b3JkLzE/);
  assert.match(text(), /POST \*\*\* failed/);
});

test("a secret that spells a JSON key or the level leaves the record readable", () => {
  const { log, lines } = capture({ secrets: ["time", "info"] });
  log.info({ note: "info time" }, "x");
  const record = JSON.parse(lines[0]!);
  assert.equal(record.level, "info");
  assert.equal(record.note, "*** ***");
  assert.equal(typeof record.time, "number");
});

test("texts under four characters are not treated as secrets", () => {
  const { log, text } = capture({ secrets: ["", "a", "abc"] });
  log.info("abc a banana");
  assert.match(text(), /abc a banana/);
});

test("pretty lines read as falcosidekick's do", () => {
  const { log, lines } = capture({ format: "pretty" });
  log.info({ output: "Slack" }, "POST OK (200)");
  log.error({ output: "Loki", alerts: 2, err: new Error("refused") }, "not sent");
  assert.match(lines[0]!, /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[INFO\] {2}: Slack - POST OK \(200\)\n$/);
  assert.match(lines[1]!, / \[ERROR\] : Loki - not sent: refused \(alerts=2\)\n$/);
});

test("a pretty record stays one line whatever a sender wrote", () => {
  const { log, lines } = capture({ format: "pretty" });
  log.warn({ rule: "x\n2026/11/21 02:53:01 [INFO]  : forged" }, "first\r\nsecond\u001b[31m");
  assert.equal(lines[0]!.split("\n").length, 2);
  assert.ok(!lines[0]!.includes("\u001b"));
});

test("no record of either format holds what steers a terminal, and other text stays", () => {
  for (const format of ["pretty", "json"] as const) {
    const { log, lines } = capture({ format });
    log.warn({ output: steeringText, [`k${steeringText}`]: steeringText, err: new Error(steeringText) }, steeringText);
    log.warn({ rule: plainText }, plainText);
    for (const line of lines) assert.doesNotMatch(line, steering);
    assert.equal(lines[1]!.split(plainText).length, 3);
    if (format === "json") assert.equal(JSON.parse(lines[0]!).msg, steeringText);
  }
});

test("pretty lines are masked too", () => {
  const { log, text } = capture({ format: "pretty", secrets: ["canary-1234"] });
  log.info({ url: "http://x/canary-1234" }, "canary-1234");
  assert.doesNotMatch(text(), /canary-1234/);
});

test("auto is pretty on a terminal and JSON elsewhere", () => {
  const terminal = capture({ format: "auto" }, true);
  terminal.log.info("x");
  assert.match(terminal.text(), /\[INFO\]/);
  const file = capture({ format: "auto" });
  file.log.info("x");
  assert.equal(JSON.parse(file.text()).msg, "x");
});

test("records under the level are not written", () => {
  const { log, lines } = capture({ level: "warn" });
  log.info("x");
  assert.deepEqual(lines, []);
});

test("a short path of a secret URL does not garble the words of the log", () => {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  const log = createLogger({ format: "json", level: "info", secrets: ["http://127.0.0.1:9/discord"] }, stream);
  log.info("outputs: discord");
  log.info("posted to http://127.0.0.1:9/discord");
  assert.match(lines[0] ?? "", /outputs: discord/);
  assert.doesNotMatch(lines[1] ?? "", /discord/);
});

test("lines that nobody reads are dropped above a bound, and counted when somebody reads again", async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const log = createLogger({ format: "json", level: "info", secrets: [] }, stream);
  for (let i = 0; i < 3000; i++) log.info("x".repeat(1000));
  assert.ok(stream.writableLength < 2 << 20, `${stream.writableLength}`);
  let read = "";
  stream.on("data", (data: Buffer) => {
    read += data.toString();
  });
  await new Promise((resolve) => setImmediate(resolve));
  log.info("again");
  await new Promise((resolve) => setImmediate(resolve));
  const lines = read
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { msg: string; lines?: number });
  const said = lines.at(-2);
  assert.match(said?.msg ?? "", /dropped/);
  assert.equal(lines.length - 2 + (said?.lines ?? 0), 3000);
  assert.equal(lines.at(-1)?.msg, "again");
});
