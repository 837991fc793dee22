import assert from "node:assert/strict";
import { test } from "node:test";
import { auditFields } from "../../../src/audit/catalog.ts";
import { fieldsOfKinds, kindsOf, usualKind } from "../../../src/pipeline/judge/kinds.ts";
import { catalogOf } from "../../../src/sdk/catalog.ts";
import type { EventCatalog } from "../../../src/sdk/event-catalog.ts";
import { type AnySource, defineSource, type SourcePlugin } from "../../../src/sdk/source.ts";

const source = (name: string, catalog?: EventCatalog, plugin?: SourcePlugin): AnySource =>
  defineSource({
    name,
    about: "Brings events.",
    fields: {},
    example: {},
    ...(catalog && { catalog }),
    ...(plugin && { plugin }),
    enabled: () => true,
    open: async () => ({ close: async () => {} }),
  });

const { rules: _, ...withoutRules } = auditFields;
const other: EventCatalog = { ...withoutRules, ...catalogOf("other", []) };
const managed = source("aks", auditFields, { name: "k8saudit-aks", version: "0.7.0" });
const own = source("k8saudit", auditFields, {
  name: "k8saudit",
  version: "0.18.0",
  alike: { "k8saudit-aks": "0.6.0" },
});
const all = [managed, source("custom", other), source("kafka"), own];

test("sources of one kind share it, and rules may require the plugins of each, once", () => {
  const kinds = kindsOf(all);
  assert.deepEqual(
    kinds.map(({ catalog, plugin, plugins }) => [catalog.source, plugin, plugins]),
    [
      [
        "k8s_audit",
        "k8saudit",
        [
          { name: "k8saudit", version: "0.18.0" },
          { name: "k8saudit-aks", version: "0.6.0" },
        ],
      ],
      ["other", "custom", []],
    ],
  );
});

test("what is configured says which plugin its events come from", () => {
  const named = (configured: readonly AnySource[]) => kindsOf(all, configured).map(({ plugin }) => plugin);
  assert.deepEqual(named([managed]), ["k8saudit-aks", "custom"]);
  assert.deepEqual(named([own, managed]), ["k8saudit", "custom"]);
});

test("where no kind is named the one that brings rules is meant, and fields are listed once", () => {
  assert.equal(usualKind(kindsOf(all))?.catalog, auditFields);
  assert.equal(usualKind(kindsOf([source("custom", other)]))?.catalog, other);
  assert.equal(usualKind(kindsOf([source("kafka")])), undefined);
  const names = fieldsOfKinds(kindsOf(all)).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes("ka.verb") && names.includes("evt.time"));
});
