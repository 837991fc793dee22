import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { createCache, type MetadataCache } from "../../../../src/pipeline/enrich/cache.ts";
import { type CollectorEvent, openClient } from "../../../../src/pipeline/enrich/collector/client.ts";
import { openWatch } from "../../../../src/pipeline/enrich/collector/watch.ts";
import { fakeClock } from "../../../fakes/clock.ts";
import { recorded, startMetacollector, type Telling } from "../../../fakes/metacollector.ts";
import { until } from "../../../support/until.ts";

const follow = async (t: TestContext, tellings: readonly Telling[]) => {
  const server = await startMetacollector(tellings);
  const client = await openClient(server.address, undefined);
  const clock = fakeClock();
  const cache = createCache({ maxObjects: 10_000, graceMs: 60_000, clock: clock.ticks });
  const counts = { event: 0, start: 0, drop: 0 };
  const lines: string[] = [];
  const streams: ReturnType<typeof client.watch>[] = [];
  const watch = openWatch("node-1", {
    client: {
      watch: (selector) => {
        const stream = client.watch(selector);
        streams.push(stream);
        return stream;
      },
    },
    stream: cache.open(),
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    clock,
    random: () => 0.5,
    heard: (what) => {
      counts[what]++;
    },
  });
  t.after(async () => {
    await watch.close();
    client.close();
    server.close();
  });
  const heard = (events: number) => until(`${events} events are heard`, () => counts.event >= events);
  return { server, clock, cache, watch, counts, lines, heard, streams };
};

/** The table as it must be after the events: what was created and not deleted, as it was told last. */
const fold = (events: readonly CollectorEvent[]): Map<string, CollectorEvent> => {
  const table = new Map<string, CollectorEvent>();
  for (const event of events)
    if (event.reason === "Delete") table.delete(event.uid);
    else table.set(event.uid, event);
  return table;
};

/** What lives, in the words of the collector. */
const tableOf = (cache: MetadataCache) =>
  [...cache.all()]
    .map(({ kind, uid, name, namespace, labels, refs, pod }) =>
      JSON.stringify([kind, uid, name, namespace, labels ?? {}, refs ?? {}, pod?.ip ?? ""]),
    )
    .sort();

const wanted = (events: Iterable<CollectorEvent>) =>
  [...events]
    .map(({ kind, uid, meta = "", status = "{}", refs }) => {
      const { name, namespace = "", labels = {} } = JSON.parse(meta);
      const sorted = Object.fromEntries(Object.entries(labels).sort());
      const uids = Object.entries(refs?.resources ?? {})
        .map(([k, { list = [] }]) => [k, list] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const ip = JSON.parse(status).podIP ?? "";
      return JSON.stringify([kind, uid, name, namespace, sorted, Object.fromEntries(uids), ip]);
    })
    .sort();

for (const name of ["node-1", "node-1-second", "node-1-podonly", "apiserver-outage"])
  test(`the recorded stream ${name} gives the table that the cluster had`, async (t) => {
    const tellings = recorded(name);
    const events = tellings.flatMap((telling) => telling.events);
    const { cache, clock, heard, counts, server } = await follow(t, tellings);
    await heard(events.length);
    // What was deleted is found for a while.
    const gone = events.find((event) => event.reason === "Delete");
    assert.equal(gone && cache.get(gone.uid)?.uid, gone?.uid);
    await clock.pass(61_000);
    cache.figures();
    assert.deepEqual(tableOf(cache), wanted(fold(events).values()));
    assert.equal(counts.drop, 0);
    assert.deepEqual(Object.keys(server.asked[0]?.resourceKinds ?? {}).sort(), [
      "DaemonSet",
      "Deployment",
      "Namespace",
      "Pod",
      "ReplicaSet",
      "ReplicationController",
      "Service",
    ]);
  });

test("two clients of one node end with one table", async (t) => {
  const tables = [];
  for (const name of ["node-1", "node-1-second"]) {
    const tellings = recorded(name);
    const { cache, clock, heard } = await follow(t, tellings);
    await heard(tellings.flatMap((telling) => telling.events).length);
    await clock.pass(61_000);
    cache.figures();
    tables.push(tableOf(cache));
  }
  assert.deepEqual(tables[0], tables[1]);
});

test("a collector that is killed and started again leaves no ghost: what it does not tell of is gone after quiet", async (t) => {
  const tellings = recorded("reconnect");
  assert.ok(tellings.length >= 3);
  const { cache, clock, heard, counts, watch } = await follow(t, tellings);
  let all = 0;
  for (const { events, ends } of tellings) {
    all += events.length;
    await heard(all);
    if (ends) await until("the stream ended", () => !watch.state().connected);
    if (ends) await clock.pass(500);
  }
  await clock.pass(4000);
  await clock.pass(61_000);
  cache.figures();
  assert.deepEqual(tableOf(cache), wanted(fold(tellings.at(-1)?.events ?? []).values()));
  assert.equal(counts.start, tellings.length);
  assert.equal(watch.state().synced, true);
});

const pod = (uid: string, name = uid): CollectorEvent => ({
  reason: "Create",
  uid,
  kind: "Pod",
  meta: JSON.stringify({ name, namespace: "shop", uid }),
  status: "{}",
});

test("a stream that says nothing is not taken for a cluster without pods", async (t) => {
  const { cache, clock, heard, server, watch } = await follow(t, [
    { events: [pod("a")], ends: "dropped" },
    { events: [] },
  ]);
  await heard(1);
  await until("the stream ended", () => !watch.state().connected);
  await clock.pass(500);
  await until("asked again", () => server.asked.length === 2);
  await clock.pass(60_000);
  assert.equal(cache.get("a")?.name, "a");
  // After a long silence the node has no pods.
  await clock.pass(5 * 60_000);
  await clock.pass(61_000);
  cache.figures();
  assert.equal(cache.get("a"), undefined);
});

test("what a collector forgot to tell of is gone after everything was heard anew", async (t) => {
  const { cache, clock, heard, server } = await follow(t, [{ events: [pod("a"), pod("b")] }, { events: [pod("b")] }]);
  await heard(2);
  await clock.pass(4000);
  assert.equal(cache.figures().objects.Pod, 2);
  await clock.pass(30 * 60_000);
  await heard(3);
  await clock.pass(4000);
  await clock.pass(61_000);
  cache.figures();
  assert.deepEqual([cache.get("a"), cache.get("b")?.uid], [undefined, "b"]);
  await until("one stream is open", () => server.open() === 1);
});

test("that everything is heard anew is no fault of the collector", async (t) => {
  const { clock, heard, server, watch } = await follow(t, [{ events: [pod("a")] }, { events: [pod("a")] }]);
  await heard(1);
  await clock.pass(4000);
  await clock.pass(30 * 60_000);
  await heard(2);
  await until("one stream is open", () => server.open() === 1);
  assert.deepEqual([watch.state().connected, watch.state().fault], [true, undefined]);
});

test("what a stream brings after its end leaves no ghost", async (t) => {
  const { cache, heard, streams, watch } = await follow(t, [{ events: [pod("a")] }]);
  await heard(1);
  await watch.close();
  streams[0]?.emit("data", pod("late"));
  assert.equal(cache.get("late"), undefined);
});

test("a stream that the server finished is asked for again, and waits grow until an event comes", async (t) => {
  const { clock, server, lines, watch } = await follow(t, [{ events: [], ends: "finished" }]);
  for (let n = 2; n < 6; n++) {
    await until("the stream ended", () => lines.length === n - 1);
    await clock.pass(JSON.parse(lines.at(-1) ?? "").waitMs);
    await until("asked again", () => server.asked.length === n);
  }
  await until("the last ended", () => lines.length === 5);
  const waits = lines.map((line) => JSON.parse(line).waitMs);
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000]);
  assert.equal(watch.state().connected, false);
});

test("a stream that finished is not said to have ended by the fault of the one before", async (t) => {
  const { clock, server, lines, watch } = await follow(t, [
    { events: [], ends: "dropped" },
    { events: [], ends: "finished" },
  ]);
  await until("the first ended", () => lines.length === 1);
  assert.match(watch.state().fault ?? "", /gone/);
  await clock.pass(JSON.parse(lines[0] ?? "").waitMs);
  await until("asked again", () => server.asked.length === 2);
  await until("the second ended", () => lines.length === 2);
  const said = lines.map((line) => JSON.parse(line).msg);
  assert.deepEqual([/gone/.test(said[0]), /it finished$/.test(said[1]), watch.state().fault], [true, true, undefined]);
});

test("what is no object is left out and said, and the others are kept", async (t) => {
  const { cache, counts, heard } = await follow(t, [
    {
      events: [
        { reason: "Create", uid: "1", kind: "Gadget", meta: "{}" },
        { reason: "Renamed", uid: "2", kind: "Pod" },
        { reason: "Create", uid: "3", kind: "Pod", meta: "{" },
        { reason: "Create", uid: "", kind: "Pod", meta: '{"name":"x"}' },
        { reason: "Delete", uid: "unknown", kind: "Pod" },
        pod("good"),
      ],
    },
  ]);
  await heard(6);
  assert.deepEqual([counts.drop, cache.get("good")?.name, cache.figures().objects.Pod], [4, "good", 1]);
});
