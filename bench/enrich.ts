/**
 * What it costs to know the cluster: memory of the pods, lookups beside the plainest that there is, the share of enrichment in
 * judging, and how long a telling of all pods holds up everything else.
 *
 *   npm run bench:enrich -- [--pods 10000,100000] [--runs 5] [--only memory,lookups,share,blocks]
 */
import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createCache, type MetadataCache } from "../src/pipeline/enrich/cache.ts";
import { createView } from "../src/pipeline/enrich/view.ts";
import type { KubeReference, KubeView } from "../src/sdk/kubernetes.ts";
import { cpuSeconds } from "./cpu.ts";
import { objectsOf } from "./enrich-cluster.ts";
import { measureBlocks } from "./enrich-resync.ts";
import { measureShare } from "./enrich-share.ts";

const { values: options } = parseArgs({
  options: {
    pods: { type: "string", default: "10000,100000" },
    runs: { type: "string", default: "5" },
    only: { type: "string", default: "memory,lookups,share,blocks" },
  },
});
const sizes = options.pods.split(",").map(Number);
const runs = Number(options.runs);
const collectGarbage = global.gc;
if (!collectGarbage) throw new Error("start it with node --expose-gc");

const heap = (): number => {
  void collectGarbage();
  return process.memoryUsage().heapUsed;
};

const fill = (pods: number, own: number): MetadataCache => {
  const cache = createCache({ maxObjects: Number.POSITIVE_INFINITY, graceMs: 0, clock: () => 0 });
  const stream = cache.open();
  for (const object of objectsOf(pods, own)) stream.put(object);
  return cache;
};

/** Everything counts: the pods' share of controllers, services and namespaces, too. */
const weighPods = (pods: number, own: number): { readonly measured: number; readonly estimate: number } => {
  const before = heap();
  const cache = fill(pods, own);
  const measured = heap() - before;
  return { measured: measured / pods, estimate: cache.figures().bytes / pods };
};

const memory = async (): Promise<void> => {
  console.log("pods      labels of its own   bytes/pod   estimate/measured");
  for (const pods of sizes)
    for (const own of [0, 2, 20]) {
      const { measured, estimate } = weighPods(pods, own);
      const row = [String(pods).padEnd(9), String(own).padStart(18), Math.round(measured).toString().padStart(11)];
      console.log(`${row.join(" ")}   ${(estimate / measured).toFixed(2).padStart(17)}`);
      // What was weighed is nobody's any more.
      await turn();
    }
};

const askedOfAll: Readonly<Record<string, (view: KubeView) => unknown>> = {
  "a pod's name": (view) => view.pod()?.name,
  "its deployment, a label of its namespace, its services": (view) => [
    view.controller("Deployment")?.object?.name,
    view.namespace()?.object?.labels?.team,
    view.services().length,
  ],
};

const lookups = (): void => {
  console.log("pods      lookups per CPU second   times Map.get");
  for (const pods of sizes) {
    const cache = fill(pods, 0);
    const references: KubeReference[] = [...cache.all()]
      .filter(({ kind }) => kind === "Pod")
      .map(({ namespace, name }): KubeReference => ({ kind: "Pod", namespace, name }))
      .sort(() => Math.random() - 0.5);
    const plain = new Map(references.map((one) => [`${one.namespace}/${one.name}`, one]));
    const cases = {
      "Map.get of a text made of namespace and name": ({ namespace, name }: KubeReference) =>
        plain.get(`${namespace}/${name}`),
      ...Object.fromEntries(
        Object.entries(askedOfAll).map(([name, ask]) => [
          name,
          (reference: KubeReference) => ask(createView(cache, reference)),
        ]),
      ),
    };
    const best = new Map<string, number>();
    const rounds = Math.ceil(200_000 / references.length);
    for (let run = 0; run < runs; run++)
      for (const [name, one] of Object.entries(cases)) {
        const seconds = cpuSeconds(() => {
          for (let round = 0; round < rounds; round++) references.forEach(one);
        });
        best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, seconds));
      }
    const base = best.get("Map.get of a text made of namespace and name") ?? Number.NaN;
    for (const [name, seconds] of best) {
      const speed = Math.round((rounds * references.length) / seconds).toLocaleString("en");
      console.log(
        `${String(pods).padEnd(9)} ${speed.padStart(22)}   ${(seconds / base).toFixed(2).padStart(13)}   ${name}`,
      );
    }
  }
};

const share = (): void => {
  const { percent, events, found } = measureShare(runs);
  console.log(
    `enrichment is ${percent.toFixed(1)} % of the CPU from line to verdict (${found} of ${events} events found)`,
  );
};

/** The least of some runs: what else the machine does only adds. */
const blocks = async (): Promise<void> => {
  console.log("pods      longest block, ms: first telling   resync   nothing to do");
  for (const pods of sizes) {
    const least = {
      telling: Number.POSITIVE_INFINITY,
      resync: Number.POSITIVE_INFINITY,
      idle: Number.POSITIVE_INFINITY,
    };
    for (let run = 0; run < Math.min(runs, 3); run++) {
      const one = await measureBlocks(pods);
      for (const part of ["telling", "resync", "idle"] as const) least[part] = Math.min(least[part], one[part]);
    }
    const row = [least.telling.toFixed(0).padStart(33), least.resync.toFixed(0).padStart(8)];
    console.log(`${String(pods).padEnd(9)} ${row.join(" ")} ${least.idle.toFixed(0).padStart(15)}`);
  }
};

const parts: Readonly<Record<string, () => void | Promise<void>>> = { memory, lookups, share, blocks };
for (const name of options.only.split(",")) {
  await parts[name]?.();
  console.log();
}
