import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runEyrie } from "../support/command.ts";
import { scratch, startHub } from "../support/hub-process.ts";

test("a guard that guards nothing stops the start, and check-config says the same words", async () => {
  const { dir, remove } = scratch();
  writeFileSync(join(dir, "empty"), "");
  mkdirSync(join(dir, "etc"));
  writeFileSync(
    join(dir, "etc/hub.yaml"),
    `k8saudit: {listen: "http://127.0.0.1:0", bearertoken_file: ${dir}/empty}\n`,
  );
  try {
    for (const [env, args, said] of [
      [{ AUTH_TOKENS: "tok-123" }, [], /AUTH_TOKENS: is set and holds nothing/],
      [{ AUTH_TOKEN_FILE: join(dir, "empty") }, [], /AUTH_TOKEN_FILE: the file is empty/],
      [{}, ["-c", join(dir, "etc/hub.yaml")], /hub\.yaml:1:\d+: k8saudit\.bearertoken: the file is empty/],
      [{ TLSSERVER_MUTUALTLS: "true" }, [], /TLSSERVER_MUTUALTLS: asks nobody for a certificate/],
    ] as const) {
      await assert.rejects(startHub({ datadir: dir, env, args }), said);
      const { code, stdout } = await runEyrie(["check-config", ...args], env);
      assert.equal(code, 1);
      assert.match(stdout, said);
    }
  } finally {
    remove();
  }
});

test("doors that stand open are named at start, each listener, and those with a guard are not", async () => {
  const { dir, remove } = scratch();
  const audit = 'k8saudit: { listen: "http://127.0.0.1:0/k8s-audit" }\n';
  try {
    const open = await startHub({ datadir: dir, config: audit });
    await open.stop();
    const said = open.output().match(/"msg":"anybody who reaches [^"]*"/g) ?? [];
    assert.equal(said.length, 2, said.join());
    assert.ok(said.some((line) => line.includes(open.url)));
    const config = audit.replace(" }", ", bearertoken: canary-audit }");
    const shut = await startHub({ datadir: dir, config, env: { AUTH_TOKENS: "falco:canary-falco" } });
    await shut.stop();
    assert.doesNotMatch(shut.output(), /anybody who reaches/);
  } finally {
    remove();
  }
});
