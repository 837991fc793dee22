import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../../../src/cli/command.ts";
import { deadLetters } from "../../../src/cli/dead-letters.ts";
import { type Behaviour, openHttpSink } from "../../fakes/http-sink.ts";
import { runCommand } from "../../support/command-io.ts";
import { scratch } from "../../support/hub-process.ts";

const json = (value: unknown, status = 200): Behaviour => ({
  status,
  headers: { "content-type": "application/json" },
  body: `${JSON.stringify(value)}\n`,
});

const letter = (n: number, over: object = {}) => ({
  id: `l-${n}`,
  lane: "out:slack",
  output: "slack",
  why: "client_error: HTTP 400",
  diedAt: "2026-11-20T12:00:00.000Z",
  count: 1,
  alerts: [{ rule: `Rule ${n}`, priority: "Warning", output: "text" }],
  ...over,
});

test("the list follows the pages up to the limit and says when there is more", async (t) => {
  const hub = await openHttpSink();
  t.after(() => hub.close());
  hub.next(json({ deadLetters: [letter(1), letter(2)], next: "a/2" }), json({ deadLetters: [letter(3)], next: "a/3" }));
  const { code, stdout } = await runCommand(deadLetters, ["--url", hub.url, "--output", "slack", "--limit", "3"]);
  assert.equal(code, 0);
  assert.deepEqual(
    hub.requests.map((r) => r.url),
    ["/api/v1/dead-letters?output=slack&limit=3", "/api/v1/dead-letters?output=slack&after=a%2F2&limit=1"],
  );
  assert.match(stdout, /^2026-11-20T12:00:00.000Z {2}slack {2}1 alert {2}client_error: HTTP 400\n {2}id l-1\n/);
  assert.match(stdout, /id l-3\n {2}Warning {2}Rule 3: text\nand more: --limit 30\n$/);
});

test("an alert that holds terminal escapes and line breaks is printed as harmless text on one line", async (t) => {
  const hub = await openHttpSink();
  t.after(() => hub.close());
  const hostile = { rule: "\u001b[2J\u009b2J", priority: "Warning", output: "one\ntwo\r\u202e" };
  hub.always(json({ deadLetters: [letter(1, { alerts: [hostile] })] }));
  const { stdout } = await runCommand(deadLetters, ["--url", hub.url]);
  assert.ok(stdout.includes("Warning  \\u001b[2J\\u009b2J: one\\ntwo\\u000d\\u202e\n"));
});

test("redrive and discard say how many letters moved, and name the output and ids that were asked for", async (t) => {
  const hub = await openHttpSink();
  t.after(() => hub.close());
  hub.next(json({ letters: 2 }), json({ letters: 1 }));
  const all = await runCommand(deadLetters, ["redrive", "--url", hub.url, "--output", "slack"]);
  const one = await runCommand(deadLetters, ["discard", "--url", hub.url, "--output", "slack", "--id", "l-1"]);
  assert.deepEqual([all.stdout, one.stdout], ["2 dead letters sent again\n", "1 dead letter discarded\n"]);
  assert.deepEqual(
    hub.requests.map((r) => [r.method, r.url, JSON.parse(r.body)]),
    [
      ["POST", "/api/v1/dead-letters/redrive", { output: "slack" }],
      ["POST", "/api/v1/dead-letters/discard", { output: "slack", ids: ["l-1"] }],
    ],
  );
});

test("the token comes from the file, else from the hub's own variables, and is never printed", async (t) => {
  const hub = await openHttpSink();
  const { dir, remove } = scratch();
  t.after(async () => {
    await hub.close();
    remove();
  });
  const file = join(dir, "token");
  writeFileSync(file, "from-file\n");
  hub.always(json({ error: "a valid bearer token is required" }, 401));
  const runs = [
    await runCommand(deadLetters, ["--url", hub.url, "--token-file", file], { AUTH_TOKEN: "from-env" }),
    await runCommand(deadLetters, ["--url", hub.url], { AUTH_TOKEN: "from-env", AUTH_TOKEN_FILE: file }),
    await runCommand(deadLetters, ["--url", hub.url], { AUTH_TOKEN_FILE: file }),
    await runCommand(deadLetters, ["--url", hub.url]),
  ];
  assert.deepEqual(
    hub.requests.map((r) => r.headers.authorization),
    ["Bearer from-file", "Bearer from-env", "Bearer from-file", undefined],
  );
  for (const { code, stdout, stderr } of runs) {
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, "the hub refused: HTTP 401: a valid bearer token is required\n");
  }
  const missing = await runCommand(deadLetters, ["--url", hub.url, "--token-file", join(dir, "none")]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^the token file .* cannot be read\n$/);
});

test("a hub that is not there, something else on its port and a redirect are told in one line, exit code 1", async (t) => {
  const other = await openHttpSink();
  t.after(() => other.close());
  const gone = await openHttpSink();
  await gone.close();
  const away = await runCommand(deadLetters, ["--url", gone.url]);
  assert.deepEqual([away.code, away.stderr], [1, "no answer from the hub: ECONNREFUSED\n"]);
  other.next({ body: "<html>" }, { status: 302, headers: { location: "/elsewhere" } });
  const html = await runCommand(deadLetters, ["--url", other.url]);
  assert.deepEqual([html.code, html.stderr], [1, "the hub refused: HTTP 200\n"]);
  const redirect = await runCommand(deadLetters, ["--url", other.url], { AUTH_TOKEN: "t" });
  assert.equal(redirect.code, 1);
  assert.equal(other.count(), 2);
});

test("what the command line lacks is said before anything is asked", async () => {
  for (const args of [["resend"], ["redrive"], ["discard"], ["list", "x"], ["--limit", "0"], ["--url", "localhost"]])
    await assert.rejects(runCommand(deadLetters, args), UsageError, args.join(" "));
});

test("a redrive that takes long is followed to its end, and can be cancelled", async (t) => {
  const hub = await openHttpSink();
  t.after(() => hub.close());
  const redrive = { id: "r-1", lane: "out:slack", state: "running", letters: 25 };
  hub.next(
    json({ letters: 25, redrive }, 202),
    json({ redrives: [redrive] }),
    json({ redrives: [{ ...redrive, state: "done", letters: 60 }] }),
    json({ redrive: { ...redrive, state: "cancelled", letters: 30 } }),
    json({ letters: 25, redrive }, 202),
    json({ redrives: [] }),
  );
  const args = ["--url", hub.url, "--output", "slack"];
  const followed = await runCommand(deadLetters, ["redrive", ...args]);
  assert.deepEqual(
    [followed.code, followed.stdout, followed.stderr],
    [0, "60 dead letters sent again\n", "25 sent again so far\n"],
  );
  const cancelled = await runCommand(deadLetters, ["cancel", ...args]);
  assert.equal(cancelled.stdout, "cancelled; 30 dead letters sent again before\n");
  const restarted = await runCommand(deadLetters, ["redrive", ...args]);
  assert.equal(restarted.code, 1);
  assert.match(restarted.stderr, /started anew/);
});

test("a discard that takes long is followed and cancelled the same way", async (t) => {
  const hub = await openHttpSink();
  t.after(() => hub.close());
  const discard = { id: "d-1", lane: "out:slack", state: "running", letters: 25 };
  hub.next(
    json({ letters: 25, discard }, 202),
    json({ discards: [discard] }),
    json({ discards: [{ ...discard, state: "done", letters: 60 }] }),
    json({ error: "there is no redrive of this output under way" }, 404),
    json({ discard: { ...discard, state: "cancelled", letters: 30 } }),
  );
  const args = ["--url", hub.url, "--output", "slack"];
  const followed = await runCommand(deadLetters, ["discard", ...args]);
  assert.deepEqual(
    [followed.code, followed.stdout, followed.stderr],
    [0, "60 dead letters discarded\n", "25 discarded so far\n"],
  );
  const cancelled = await runCommand(deadLetters, ["cancel", ...args]);
  assert.deepEqual([cancelled.code, cancelled.stdout], [0, "cancelled; 30 dead letters discarded before\n"]);
});
