import assert from "node:assert/strict";
import { test } from "node:test";
import { createServiceIndex } from "../../../../src/pipeline/enrich/service-index.ts";
import type { KubeObject } from "../../../../src/sdk/kubernetes.ts";
import { seeded } from "../../../support/random.ts";

const service = (uid: string, selector: Record<string, string>, namespace = "shop"): KubeObject => ({
  kind: "Service",
  uid,
  name: uid,
  namespace,
  selector,
});

test("what the index finds is what looking at every service finds", () => {
  const random = seeded(3);
  const labels = (): Record<string, string> =>
    Object.fromEntries(
      ["app", "team", "tier"].flatMap((key) => (random() < 0.6 ? [[key, random() < 0.5 ? "x" : ""]] : [])),
    );
  const index = createServiceIndex();
  const there = new Map<string, KubeObject>();
  for (let n = 0; n < 3000; n++) {
    const uid = `s${Math.floor(random() * 30)}`;
    const old = there.get(uid);
    if (old) index.remove(old);
    there.delete(uid);
    if (random() < 0.7) {
      const next = service(uid, labels(), random() < 0.5 ? "shop" : "stall");
      index.add(next);
      if (Object.keys(next.selector ?? {}).length > 0) there.set(uid, next);
    }
    const borne = labels();
    const plain = [...there.values()].filter(
      ({ namespace, selector = {} }) =>
        namespace === "shop" && Object.entries(selector).every(([key, value]) => borne[key] === value),
    );
    assert.deepEqual(
      index.selecting("shop", borne).map(({ uid }) => uid),
      plain.map(({ uid }) => uid).toSorted(),
    );
  }
});
