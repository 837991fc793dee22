import assert from "node:assert/strict";
import { test } from "node:test";
import { type Behaviour, openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { openOracle } from "../support/oracle.ts";
import { postAll } from "../support/post.ts";
import { until } from "../support/until.ts";

const faults: Readonly<Record<string, Behaviour>> = {
  hang: { fault: "hang" },
  drip: { fault: "drip" },
  reset: { fault: "reset" },
  halved: { fault: "reset-in-body", body: "x".repeat(100) },
  close: { fault: "close" },
  garbage: { fault: "garbage" },
  error: { status: 500 },
};

test("seven destinations, each broken in its way: the healthy one gets everything, and each gets its share once mended", async () => {
  const { dir, remove } = scratch();
  const names = Object.keys(faults);
  const broken = await Promise.all(names.map(() => openHttpSink()));
  const healthy = await openHttpSink();
  names.forEach((name, i) => {
    broken[i]?.always(faults[name] ?? {});
  });
  const config = `webhook:\n${[...broken, healthy]
    .map(
      (sink, i) =>
        `  - { name: ${names[i] ?? "healthy"}, address: "${sink.url}/", timeout: ${names[i] ? "300ms" : "20s"}, maxconcurrentrequests: 4, retry: { initial: 50ms, max: 300ms }, breaker: { open: 200ms } }\n`,
    )
    .join("")}`;
  const hub = await startHub({ datadir: dir, config });
  try {
    const { accepted, statuses } = await postAll(hub.url, 300, falcoAlert);
    assert.deepEqual(statuses, { 200: 300 });
    await until("the healthy one has everything", () => healthy.count() >= 300);
    for (const [i, sink] of broken.entries()) {
      await until(`${names[i]} was tried again`, () => sink.count() >= 6);
      assert.ok(sink.mostInFlight() <= 4, `${names[i]}: ${sink.mostInFlight()} requests in flight`);
    }
    const before = broken.map((sink) => sink.count());
    for (const sink of broken) sink.always({});
    for (const [i, sink] of broken.entries())
      await until(`${names[i]} has caught up`, () => {
        // A 200 whose body breaks off may count as delivered or not.
        const from = names[i] === "halved" || names[i] === "drip" ? 0 : before[i];
        const got = new Set(sink.requests.slice(from).flatMap((r) => alertNumbers(r.body)));
        return accepted.every((n) => got.has(n));
      });
    assert.equal(healthy.count(), 300);
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    await Promise.all([...broken, healthy].map((s) => s.close()));
    remove();
  }
});

test("Retry-After is a floor for the whole destination, and for no other; a year is not waited for", async () => {
  const { dir, remove } = scratch();
  const [limited, absurd, free] = [await openHttpSink(), await openHttpSink(), await openHttpSink()];
  const arrivals: number[] = [];
  limited.always((_, index) => {
    arrivals.push(performance.now());
    return index === 0 ? { status: 429, retryAfter: 2 } : {};
  });
  absurd.always((_, index) => (index === 0 ? { status: 429, retryAfter: 31_536_000 } : {}));
  const config = `shutdowntimeout: 500ms
webhook:
  - { name: limited, address: "${limited.url}/", maxconcurrentrequests: 1, retry: { initial: 10ms } }
  - { name: absurd, address: "${absurd.url}/", maxconcurrentrequests: 1, retry: { initial: 10ms } }
  - { name: free, address: "${free.url}/" }
`;
  const hub = await startHub({ datadir: dir, config });
  try {
    const { accepted } = await postAll(hub.url, 20, falcoAlert, { connections: 1 });
    assert.equal(accepted.length, 20);
    await free.received(20);
    await limited.received(21);
    // Node rounds timers to a millisecond.
    assert.ok((arrivals[1] ?? 0) - (arrivals[0] ?? 0) >= 1990, "a request came before the time that was asked for");
    const { lanes } = (await (await fetch(`${hub.url}/api/v1/lanes`)).json()) as { lanes: Record<string, unknown>[] };
    assert.ok(
      lanes.some((lane) => lane.output === "webhook.absurd"),
      JSON.stringify(lanes),
    );
    assert.equal(absurd.count(), 1);
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    await Promise.all([limited, absurd, free].map((s) => s.close()));
    remove();
  }
});

test("SIGTERM under load: what was answered with 200 is delivered or waits for the next start, exit code 0", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ delayMs: 5 });
  const options = {
    datadir: dir,
    config: `shutdowntimeout: 1s\nwebhook:\n  address: ${sink.url}/\n  maxconcurrentrequests: 2\n`,
  };
  const oracle = openOracle();
  const first = await startHub(options);
  const load = oracle.send(first.url);
  await until("the load has begun", () => load.answered() > 1000);
  assert.equal(await first.stop("SIGTERM"), 0);
  const statuses = await load.stop();
  assert.deepEqual(
    Object.keys(statuses).filter((s) => !["200", "503", "error"].includes(s)),
    [],
  );
  assert.ok(oracle.missing(sink.requests).length > 0, "everything was delivered: the stop proves nothing");
  sink.always({});
  const second = await startHub(options);
  try {
    await until("all obligations are met", () => oracle.missing(sink.requests).length === 0);
    const { lost, unknown, changed, repeated } = oracle.judge(sink.requests);
    assert.deepEqual({ lost, unknown, changed }, { lost: [], unknown: [], changed: [] });
    assert.ok(repeated <= 2, `${repeated} repeats, more than were in flight at the end`);
  } finally {
    await second.stop();
    await sink.close();
    remove();
  }
});
