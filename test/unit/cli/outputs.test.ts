import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { outputs as registered } from "../../../outputs/index.ts";
import { UsageError } from "../../../src/cli/command.ts";
import { outputs } from "../../../src/cli/outputs.ts";
import type { Parameter } from "../../../src/cli/parameters.ts";
import { deliveryFields } from "../../../src/config/delivery-fields.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { fieldMeta } from "../../../src/sdk/fields.ts";
import { runCommand } from "../../support/command-io.ts";

interface Listed {
  readonly outputs: readonly { name: string; example: object; parameters: readonly Parameter[] }[];
  readonly everyOutput?: readonly Parameter[];
}

const listed = async (...args: string[]): Promise<Listed> =>
  JSON.parse((await runCommand(outputs, [...args, "--json"])).stdout);

test("every registered output is listed with each of its keys, and what all have stands there once", async () => {
  const { outputs: found, everyOutput } = await listed();
  assert.deepEqual(
    found.map((o) => [o.name, o.parameters.map((p) => p.key)]),
    registered.map((o) => [o.name, Object.keys(o.fields)]),
  );
  assert.deepEqual(
    everyOutput?.map((p) => p.key),
    Object.keys(deliveryFields),
  );
});

test("every parameter has a sentence, a type and its variable, and is called secret when it is", async () => {
  const { outputs: found } = await listed();
  for (const [i, output] of found.entries())
    for (const p of output.parameters) {
      assert.match(p.about, /\.$/, `${output.name}.${p.key}`);
      assert.notEqual(p.type, "", `${output.name}.${p.key}`);
      assert.equal(p.env, `${output.name}.${p.key}`.toUpperCase().replaceAll(".", "_"));
      const field = registered[i]?.fields[p.key];
      assert.ok(field);
      assert.equal(p.secret, fieldMeta(field).secret === true);
    }
});

test("types are told from what a key takes: a duration, a rate, a number, a list, a flag", async () => {
  const { everyOutput } = await listed();
  const types = Object.fromEntries(everyOutput?.map((p) => [p.key, p.type]) ?? []);
  const keys = ["timeout", "retry.maxage", "ratelimit.persecond", "batch.items", "match.tags", "checkcert", "keyfile"];
  assert.deepEqual(
    keys.map((key) => types[key]),
    ["duration", "duration", "rate", "number", "list", "flag", "text"],
  );
});

test("the example that one output is shown with enables it when it is put into a file", async () => {
  for (const { name } of registered) {
    const { outputs: found } = await listed(name);
    assert.deepEqual(
      found.map((o) => o.name),
      [name],
    );
    const read = () => JSON.stringify(found[0]?.example);
    const { config, problems } = loadConfig({ file: "x.yaml", read, env: {}, outputs: registered, sources: [] });
    assert.deepEqual(
      problems.filter((p) => p.severity === "error"),
      [],
      name,
    );
    assert.ok(
      config.outputs.some((o) => o.output.name === name),
      name,
    );
  }
});

test("for people the list names each key, its variable and default, and one output its example as YAML", async () => {
  const all = (await runCommand(outputs, [])).stdout;
  for (const { name } of registered) assert.match(all, new RegExp(`^${name.replace(".", "\\.")}: `, "m"));
  assert.match(all, /^ {2}channel .*\n +SLACK_CHANNEL, text$/m);
  assert.match(all, /^ +SLACK_WEBHOOKURL, url, secret$/m);
  assert.match(all, /^every output: /m);
  assert.match(all, /<OUTPUT>_RETRY_MAX, duration, default 30s/);
  const slack = (await runCommand(outputs, ["Slack"])).stdout;
  assert.match(slack, /^slack:\n {2}webhookurl: http/m);
  assert.doesNotMatch(slack, /RETRY_MAX/);
});

test("as Markdown it is tables whose rows all have the same number of cells", async () => {
  const { stdout } = await runCommand(outputs, ["--markdown"]);
  const rows = stdout.split("\n").filter((line) => line.startsWith("|"));
  assert.ok(rows.length > registered.length * 3);
  for (const row of rows) assert.equal(row.split(/(?<!\\)\|/).length, 8, row);
  const { stdout: one } = await runCommand(outputs, ["webhook", "--markdown"]);
  const [, yaml = ""] = /```yaml\n(.*?)```/s.exec(one) ?? [];
  assert.ok(parse(yaml).webhook.address);
});

test("an output that does not exist is a fault of the command line that names those that do", async () => {
  await assert.rejects(
    runCommand(outputs, ["slak"]),
    (error) => error instanceof UsageError && /slack/.test(error.message),
  );
});
