import assert from "node:assert/strict";
import { test } from "node:test";
import { auditFields } from "../../../../src/audit/catalog.ts";
import { createCache } from "../../../../src/pipeline/enrich/cache.ts";
import { createEnrichment } from "../../../../src/pipeline/enrich/stage.ts";
import { createView, find } from "../../../../src/pipeline/enrich/view.ts";
import { createWait } from "../../../../src/pipeline/enrich/wait.ts";
import type { KubeReference } from "../../../../src/sdk/kubernetes.ts";
import { fakeClock, settled } from "../../../fakes/clock.ts";
import { sampleAlert } from "../../../support/hostile-alerts.ts";

const rig = (waitMs = 2000) => {
  const clock = fakeClock();
  const cache = createCache({ maxObjects: 100, graceMs: 0, clock: clock.ticks });
  const waitFor = createWait({
    cache,
    find: (reference) => find(cache, reference),
    tells: (kind) => kind !== "CronJob",
    waitMs,
    clock,
  });
  const stream = cache.open();
  const come = (uid: string) => stream.put({ kind: "Pod", uid, name: uid, namespace: "shop" });
  /** Milliseconds that it took; undefined: it waits still. */
  const begin = (...uids: string[]) => {
    const waited: { ms?: number } = {};
    const from = clock.ticks();
    const references = uids.map((uid): KubeReference => ({ kind: "Pod", uid }));
    void Promise.resolve(waitFor(references)).then(() => {
      waited.ms = clock.ticks() - from;
    });
    return waited;
  };
  return { clock, cache, waitFor, come, begin };
};

test("what is known, or names no object, is not waited for", () => {
  const { waitFor, come } = rig();
  come("a");
  assert.equal(waitFor([{ kind: "Pod", uid: "a" }]), undefined);
  assert.equal(waitFor([{ namespace: "shop" }, { kind: "Pod", namespace: "shop" }, { name: "x" }]), undefined);
  assert.equal(waitFor([]), undefined);
  assert.equal(waitFor([{ kind: "CronJob", uid: "nobody tells" }]), undefined);
  assert.equal(rig(0).waitFor([{ kind: "Pod", uid: "b" }]), undefined);
});

test("what has a longer name than anything that is kept is not waited for, nor remembered", () => {
  const { waitFor, clock } = rig();
  const endless = "x".repeat(1 << 20);
  for (const part of ["uid", "namespace", "name", "container"])
    assert.equal(waitFor([{ kind: "Pod", name: "a", [part]: endless }]), undefined, part);
  assert.equal(clock.timers(), 0);
});

test("events wait together until the last of their objects came, and no longer", async () => {
  const { clock, come, begin } = rig();
  const waited = begin("a", "b");
  await clock.pass(500);
  come("a");
  await clock.pass(500);
  assert.equal(waited.ms, undefined);
  come("b");
  await clock.pass(100);
  assert.equal(waited.ms, 1010);
  assert.equal(clock.timers(), 0);
});

test("after the bound nothing waits, however much the cluster changes, and what was vain is not waited for again", async () => {
  const { clock, come, begin } = rig();
  const waited = begin("never");
  for (let n = 0; n < 30; n++) {
    come(`other-${n}`);
    await clock.pass(100);
  }
  assert.equal(waited.ms, 2000);
  assert.equal(clock.timers(), 0);
  const again = begin("never");
  await settled();
  assert.equal(again.ms, 0);
  await clock.pass(61_000);
  const later = begin("never");
  await clock.pass(300);
  assert.equal(later.ms, undefined);
  await clock.pass(2000);
  assert.equal(later.ms, 2000);
});

test("an audit event and a posted alert get what came while they waited, and `add` is not for the door", async () => {
  const { clock, cache, waitFor, come } = rig();
  const { enrich, add } = createEnrichment(
    (reference) => createView(cache, reference),
    { add: ["k8smeta.pod.uid"], as: {} },
    { waitFor, refers: (event) => auditFields.refers?.(event) },
  );
  const objectRef = { resource: "pods", namespace: "shop", name: "late" };
  const text = JSON.stringify({ auditID: "1", objectRef });
  const chunk = { id: "1", at: 0 };
  const alert = sampleAlert({ output_fields: { "k8s.ns.name": "shop", "k8s.pod.name": "late" } });
  const events = enrich[0]?.run(chunk, [{ source: "k8s_audit", text }]);
  const alerts = add[0]?.run(chunk, [alert]);
  await settled();
  assert.equal(clock.timers(), 2);
  come("late");
  await clock.pass(20);
  const [event] = (await events) ?? [];
  assert.equal(event?.lookup?.({ kind: "Pod", namespace: "shop", name: "late" }).pod()?.uid, "late");
  assert.equal(event?.root?.get("auditID")?.asText(), "1");
  assert.equal((await alerts)?.[0]?.output_fields["k8smeta.pod.uid"], "late");
  assert.equal(add[0]?.pure, undefined);
});
