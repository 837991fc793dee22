import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../../src/cli/command.ts";
import { sendTest } from "../../../src/cli/send-test.ts";
import { openHttpSink } from "../../fakes/http-sink.ts";
import { runCommand } from "../../support/command-io.ts";

const canary = "CANARY-7f3a";

test("each destination is told of with its time, and one that refuses makes the exit code 1", async (t) => {
  const [good, bad] = [await openHttpSink(), await openHttpSink()];
  t.after(() => Promise.all([good.close(), bad.close()]));
  bad.always({ status: 403, body: canary });
  const { code, stdout, stderr } = await runCommand(sendTest, [], {
    WEBHOOK_ADDRESS: `${good.url}/${canary}?key=${canary}`,
    WEBHOOK_CUSTOMHEADERS: `Authorization:${canary}`,
    SLACK_WEBHOOKURL: `${bad.url}/services/${canary}`,
  });
  assert.equal(code, 1);
  assert.match(stdout, /^webhook {2}ok {6}\d+ ms$/m);
  assert.match(stdout, /^slack {4}failed {2}auth_error: HTTP 403, \d+ ms$/m);
  assert.ok(!(stdout + stderr).includes(canary), "a secret was printed");
  assert.equal(good.requests[0]?.headers.authorization, canary);
  assert.deepEqual([good.count(), bad.count()], [1, 1]);
});

test("all taken is exit code 0; the configuration's own fields and tags are on the alert, match or not", async (t) => {
  const sink = await openHttpSink();
  t.after(() => sink.close());
  const { code } = await runCommand(
    sendTest,
    ["--rule", "My rule", "--priority", "notice", "-o", "customtags=[blue]"],
    {
      WEBHOOK_ADDRESS: sink.url,
      WEBHOOK_MATCH_RULES: "Something else",
      CUSTOMFIELDS: "team:sec",
    },
  );
  assert.equal(code, 0);
  const { rule, priority, tags, output_fields } = JSON.parse(sink.requests[0]?.body ?? "");
  assert.deepEqual([rule, priority], ["My rule", "Notice"]);
  assert.ok(tags.includes("blue"));
  assert.equal(output_fields.team, "sec");
});

test("a destination that would be tried again is tried once here and said to be so", async (t) => {
  const sink = await openHttpSink();
  t.after(() => sink.close());
  sink.always({ status: 503 });
  const { code, stdout } = await runCommand(sendTest, [], { WEBHOOK_ADDRESS: sink.url });
  assert.equal(code, 1);
  assert.match(stdout, /^webhook {2}failed {2}server_error: HTTP 503, \d+ ms; the hub would try again$/m);
  assert.equal(sink.count(), 1);
});

test("--output chooses; one that is not configured is named beside those that are and nothing is sent", async (t) => {
  const [one, two] = [await openHttpSink(), await openHttpSink()];
  t.after(() => Promise.all([one.close(), two.close()]));
  const env = { WEBHOOK_ADDRESS: one.url, SLACK_WEBHOOKURL: two.url };
  assert.equal((await runCommand(sendTest, ["--output", "webhook"], env)).code, 0);
  const { code, stderr } = await runCommand(sendTest, ["--output", "webhook", "--output", "teams"], env);
  assert.equal(code, 1);
  assert.match(stderr, /no output "teams"; configured are .*slack/);
  assert.deepEqual([one.count(), two.count()], [1, 0]);
});

test("nothing to send to, a faulty configuration and a priority that is none are refused", async () => {
  const none = await runCommand(sendTest, []);
  assert.deepEqual([none.code, none.stderr], [1, "no output is configured\n"]);
  const faulty = await runCommand(sendTest, [], { WEBHOOK_ADDRESS: "not a url" });
  assert.equal(faulty.code, 1);
  assert.match(faulty.stderr, /WEBHOOK_ADDRESS: .*\nevery output is off\n/i);
  await assert.rejects(runCommand(sendTest, ["--priority", "loud"]), UsageError);
});
