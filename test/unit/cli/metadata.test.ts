import assert from "node:assert/strict";
import { test } from "node:test";
import { fields } from "../../../src/cli/fields.ts";
import { run } from "../../../src/cli/run.ts";
import { folderOf, rule, runWith } from "../../support/rules-command.ts";
import { auditEvent } from "../audit/support.ts";

const golden = (name: string): string => new URL(`../../golden/metacollector/${name}`, import.meta.url).pathname;
const [stream, events] = [golden("node-1.jsonl.gz"), golden("events.jsonl")];

test("run --metadata judges recorded events by a recorded cluster, without one the fields are absent", async () => {
  const condition = "k8sres.deployment.name = web and k8smeta.deployment.label[team] = storefront";
  const { at: path, remove } = folderOf({ "r.yaml": rule("of the storefront", condition) });
  try {
    const fired = async (...args: string[]) => {
      const { code, out, err } = await runWith(run, ["-r", path("r.yaml"), ...args, events]);
      assert.equal(code, 0, err);
      return /of the storefront: (\d+)/.exec(out)?.[1] ?? "0";
    };
    assert.equal(await fired("--metadata", stream), "1");
    assert.equal(await fired(), "0");
  } finally {
    remove();
  }
});

test("fields --metadata shows what the cluster's fields hold", async () => {
  const select = "ka.target.name,k8smeta.owner.kind,k8smeta.svc.name,k8smeta.ns.labels";
  const { code, out } = await runWith(fields, [events, "--metadata", stream, "--select", select]);
  assert.equal(code, 0);
  const rows = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.find((row) => row["ka.target.name"] === "agent-bpcxv"),
    {
      "ka.target.name": "agent-bpcxv",
      "k8smeta.owner.kind": "DaemonSet",
      "k8smeta.ns.labels": ["kubernetes.io/metadata.name:shop"],
    },
  );
});

test("a recording that is not there ends the command, lines that are none are named and left out", async () => {
  const pod = { reason: "Create", uid: "u", kind: "Pod", meta: '{"name":"web-0","namespace":"shop"}' };
  const { at: path, remove } = folderOf({
    "r.yaml": rule("r", "k8smeta.pod.name = web-0"),
    "e.jsonl": auditEvent({ objectRef: { resource: "pods", namespace: "shop", name: "web-0" } }),
    "m.jsonl": ["{", '{"reason":"Create"}', JSON.stringify({ ...pod, kind: "Gadget" }), "", JSON.stringify(pod)].join(
      "\n",
    ),
  });
  try {
    const { code, out, err } = await runWith(run, [
      "-r",
      path("r.yaml"),
      "--metadata",
      path("m.jsonl"),
      path("e.jsonl"),
    ]);
    assert.deepEqual([code, /r: 1/.test(out)], [0, true]);
    assert.deepEqual(
      Array.from(err.matchAll(/m\.jsonl:(\d+): skipped/g), ([, line]) => line),
      ["1", "2", "3"],
    );
    const missing = await runWith(run, ["-r", path("r.yaml"), "--metadata", path("none"), path("e.jsonl")]);
    assert.deepEqual([missing.code, /Could not open file .*none/.test(missing.err)], [1, true]);
    assert.match(
      (await runWith(fields, [path("e.jsonl"), "--metadata", path("none")]).catch(String)) as string,
      /cannot read none/,
    );
  } finally {
    remove();
  }
});
