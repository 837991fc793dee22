import assert from "node:assert/strict";
import { test } from "node:test";
import { refuse } from "../../../../fakes/kube-api.ts";
import { seeded } from "../../../../support/random.ts";
import { follow, passing, pod } from "./rig.ts";

const steps = 150;

for (const seed of [1, 2, 3])
  test(`whatever a server does between changes (${seed}), in the end the table is what the cluster has`, async (t) => {
    const random = seeded(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const first = Array.from({ length: 120 }, (_, i) => ({ resource: "pods", object: pod(`first-${i}`) }));
    const { cache, server, clock, provider, watching, drops } = await follow(t, first);
    await watching();
    let mend = (): void => {};
    const acts = [
      () => server.put("pods", pod(`p${pick(40)}`, { labels: { v: String(pick(1000)) } })),
      () => server.put("pods", pod(`p${pick(40)}`, { labels: { v: String(pick(1000)) } })),
      () => server.remove("pods", `p${pick(40)}`),
      () => server.remove("pods", `first-${pick(120)}`),
      () => server.bookmark(),
      () => server.cut(pick(2) === 0 ? "ended" : "dropped"),
      () => server.compact(pick(2) === 0 ? "status" : "event"),
      () => server.say("pods", ["half a li", "none\n", '{"type":"ERROR","object":{"code":500}}\n'][pick(3)] ?? ""),
      () => {
        mend();
        const code = [401, 403, 404, 410, 429, 500, 503][pick(7)] ?? 500;
        mend = server.instead("pods", (request, response) =>
          code === 500 ? request.destroy() : refuse(response, code, "Fault", { "retry-after": "1" }),
        );
      },
      () => mend(),
      () => clock.pass(pick(3000)),
    ];
    for (let step = 0; step < steps; step++) await acts[pick(acts.length)]?.();
    mend();
    const wanted = (): readonly string[] =>
      server
        .objects("pods")
        .map(({ metadata }) => `${metadata.uid} ${JSON.stringify(metadata.labels ?? {})}`)
        .sort();
    const known = (): readonly string[] =>
      [...cache.all()]
        .filter(({ uid }) => !cache.isGone(uid))
        .map(({ uid, labels }) => `${uid} ${JSON.stringify(labels ?? {})}`)
        .sort();
    await passing("all is known again", clock, () => known().join() === wanted().join());
    await passing("all is watched", clock, () => provider.state().every(({ connected }) => connected));
    assert.deepEqual([known(), drops], [wanted(), []]);
  });
