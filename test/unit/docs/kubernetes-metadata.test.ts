import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { resources } from "../../../src/pipeline/enrich/kubernetes/resources.ts";

const page = readFileSync(new URL("../../../docs/kubernetes-metadata.md", import.meta.url), "utf8");

test("the role on the page allows what the hub asks for, and nothing else", () => {
  const block = [...page.matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, text = ""]) => text)
    .find((text) => /ClusterRole/.test(text));
  const [role] = parseAllDocuments(block ?? "").map((document) => document.toJS());
  const allowed = role.rules.flatMap((rule: { apiGroups: string[]; resources: string[]; verbs: string[] }) => {
    assert.deepEqual(rule.verbs, ["list", "watch"]);
    return rule.resources.map((name) => `${rule.apiGroups[0]}/${name}`);
  });
  assert.deepEqual(allowed.sort(), resources.map(({ apiGroup, name }) => `${apiGroup}/${name}`).sort());
});
