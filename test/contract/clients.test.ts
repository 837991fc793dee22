import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { inspect } from "node:util";
import { pino } from "pino";
import { outputs } from "../../outputs/index.ts";
import { type Failure, failureOf } from "../../src/deliver/failure.ts";
import { openHttp } from "../../src/deliver/http.ts";
import { openSender } from "../../src/deliver/sender.ts";
import { timed } from "../../src/deliver/timeout.ts";
import { DeliveryError, type Reason } from "../../src/sdk/errors.ts";
import type { Alerts, Output, TlsMaterial } from "../../src/sdk/output.ts";
import { systemClock } from "../../src/time/clock.ts";
import { makeAuthority } from "../fakes/certificates.ts";
import { instanceOf } from "../fakes/delivery.ts";
import { type ClientServer, clientServers, type Plan, type Running, type Settings } from "../support/client-server.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { openRaw, type RawFault } from "../support/raw-server.ts";
import { configOf } from "../support/senders.ts";
import { until } from "../support/until.ts";

/** Outputs that bring a client, and the HTTP output that says what they are to make of a fault. */
const measure = "webhook";
const tested = outputs.filter((output) => "open" in output || output.name === measure);

const canary = "canary91c7";
const authority = makeAuthority();
const certified = authority.server();
const untrusting: TlsMaterial = { rejectUnauthorized: true };
const trusting: TlsMaterial = { rejectUnauthorized: true, ca: authority.ca };
const known: TlsMaterial = { ...trusting, ...authority.client("hub") };

const open = new Set<{ close(): Promise<void> }>();
after(() => Promise.all([...open].map((one) => one.close())));
const kept = <T extends { close(): Promise<void> }>(one: T): T => {
  open.add(one);
  return one;
};

const batchOf = (count: number): Alerts =>
  Array.from({ length: count }, (_, i) =>
    sampleAlert({ uuid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`, output: `alert-${i}-` }),
  ) as unknown as Alerts;
const one = batchOf(1);
const namedIn = (text: string): ReadonlySet<string> => new Set(text.match(/alert-\d+-/g));

/** One attempt as delivery makes it, with a client of its own that is closed behind it. Nothing that it tells holds the secret. */
const attempt = async (
  output: Output,
  settings: Settings,
  alerts: Alerts = one,
  { timeoutMs = 5000, tls = untrusting }: { readonly timeoutMs?: number; readonly tls?: TlsMaterial } = {},
): Promise<Failure | undefined> => {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line) => lines.push(line) });
  const instance = { ...instanceOf(output, { timeoutMs }, tls), config: configOf(output, settings) };
  const http = openHttp(instance.transport, {}, { connections: 4 });
  const hub = { outputs: [], customfields: {}, templatedfields: {} };
  const parts = { http, log, now: Date.now, clock: systemClock, hub, mask: (text: string) => text, omitted: () => {} };
  const sender = openSender(instance, parts);
  const send = timed(timeoutMs, systemClock, sender.send);
  try {
    await send({ alerts, accepted: alerts.map(() => Date.now()) });
    return undefined;
  } catch (error) {
    const told = [...lines, inspect(error, { depth: 8 }), error instanceof Error ? error.stack : ""].join("\n");
    assert.doesNotMatch(told, new RegExp(canary));
    if (error instanceof DeliveryError) assert.doesNotMatch(error.message, /127\.0\.0\.1/);
    return failureOf(error);
  } finally {
    await sender.close();
    await http.close();
  }
};

const outcome = (failure: Failure | undefined): readonly [Reason, boolean] | undefined =>
  failure && [failure.reason, failure.retryable];

/** Bytes of an answer that may be on their way before a client hangs up: what sockets hold, and more. */
const longestAnswer = 64 << 20;
const aborted = { timeoutMs: 500 };
const raw: Readonly<Record<Exclude<RawFault, "endless">, readonly [Reason, boolean]>> = {
  silent: ["timeout", true],
  reset: ["network", true],
  closed: ["network", true],
  garbage: ["bad_reply", true],
};

for (const output of tested) {
  const server = clientServers.get(output.name);
  describe(`client of ${output.name}`, () => {
    if (!server) {
      it("brings a server", () => assert.fail(`test/clients/${output.name.replaceAll(".", "-")}.ts is missing`));
      return;
    }
    holds(output, server);
  });
}

function holds(output: Output, server: ClientServer): void {
  const { lacks, at, part } = server;
  const start = async (plan: Plan<unknown>): Promise<Running> => kept(await server.open(plan));
  const left = (running: Pick<Running, "connections">) =>
    until("the client has let go of its connections", () => running.connections() === 0);

  for (const [aspect, why] of Object.entries(lacks)) it(`has no ${aspect}: ${why}`, () => assert.match(why, /\w \w/));

  it("delivers a full batch, and leaves nothing open", async () => {
    const running = await start({});
    const alerts = batchOf(output.batch?.items ?? 1);
    assert.equal(await attempt(output, running.settings(canary), alerts), undefined);
    await until("all of it arrived", () => namedIn(running.arrived()).size === alerts.length);
    await left(running);
  });

  for (const [name, alert] of Object.entries(hostileAlerts))
    it(`delivers ${name}, or says that it can never be`, async () => {
      const running = await start({});
      const failure = await attempt(output, running.settings(canary), [alert]);
      if (failure) assert.deepEqual(outcome(failure), ["too_large", false]);
      await left(running);
    });

  for (const [name, { answer, reason, retryable, retryAfterMs }] of Object.entries(server.refusals))
    it(`takes ${name} for ${reason}, ${retryable ? "to be sent again" : "never again"}`, async () => {
      const running = await start({ answer });
      const failure = await attempt(output, running.settings(canary));
      assert.deepEqual(outcome(failure), [reason, retryable]);
      assert.equal(failure?.retryAfterMs, retryAfterMs);
      await left(running);
    });

  it("knows what it is told: a refusal, and patience that is asked for", () => {
    const refusals = Object.values(server.refusals);
    assert.ok(refusals.length > 0 || lacks.answers);
    assert.ok(refusals.some(({ reason }) => reason === "rate_limited") || lacks.throttling);
  });

  if (output.batch && !lacks.partial)
    it("names the alerts of a batch that were refused, and no others", async () => {
      const running = await start({ refuses: (text) => text.includes("refused-") });
      const alerts = batchOf(8).map((alert, i) =>
        i === 2 || i === 5 ? { ...alert, rule: "Refused", output: `${alert.output}refused-` } : alert,
      ) as unknown as Alerts;
      const failure = await attempt(output, running.settings(canary), alerts);
      assert.ok(part, "the server says how a refused alert fails");
      assert.deepEqual(outcome(failure), [part.reason, part.retryable]);
      assert.deepEqual(failure?.failed, [2, 5]);
      assert.deepEqual(failure?.dead, part.retryable ? undefined : [2, 5]);
      assert.equal(namedIn(running.arrived()).size >= 6, true);
    });

  if (!lacks.answers)
    it("takes a server that answers nothing for a timeout, and lets go of it", async () => {
      const running = await start({ fault: "hang" });
      assert.deepEqual(outcome(await attempt(output, running.settings(canary), one, aborted)), ["timeout", true]);
      await left(running);
      open.delete(running);
      await running.close();
    });

  if (lacks.connection) return;

  it("takes a connection that breaks when alerts come for a network fault", async () => {
    const running = await start({ fault: "reset" });
    assert.deepEqual(outcome(await attempt(output, running.settings(canary))), ["network", true]);
    await left(running);
  });

  it("takes a refused connection for a network fault", async () => {
    const gone = await openRaw("silent");
    await gone.close();
    assert.deepEqual(outcome(await attempt(output, at!(gone.port, canary, false))), ["network", true]);
  });

  for (const [fault, expected] of Object.entries(raw) as [Exclude<RawFault, "endless">, readonly [Reason, boolean]][]) {
    if (lacks.answers && fault !== "reset") continue;
    it(`takes a server that is ${fault} for ${expected[0]}`, async () => {
      const running = kept(await openRaw(fault));
      assert.deepEqual(outcome(await attempt(output, at!(running.port, canary, false), one, aborted)), expected);
      await left(running);
    });
  }

  it("reads no greeting without end", async () => {
    const running = kept(await openRaw("endless"));
    const failure = await attempt(output, at!(running.port, canary, false), one, aborted);
    if (!lacks.answers) assert.ok(failure?.retryable);
    await left(running);
    assert.ok(running.written() < longestAnswer, `${running.written()} bytes`);
  });

  it("reads no answer without end", async () => {
    const running = await start({ fault: "endless" });
    const failure = await attempt(output, running.settings(canary), one, aborted);
    assert.notEqual(failure?.retryable, false);
    await left(running);
    assert.ok(running.poured() < longestAnswer, `${running.poured()} bytes`);
  });

  if (lacks.tls) return;

  it("demands a server that it trusts, and delivers to it", async () => {
    const running = await start({ tls: certified });
    assert.deepEqual(outcome(await attempt(output, running.settings(canary))), ["tls", true]);
    assert.equal(running.arrived(), "");
    assert.equal(await attempt(output, running.settings(canary), one, { tls: trusting }), undefined);
    await until("it arrived", () => namedIn(running.arrived()).size === 1);
    await left(running);
  });

  it("shows its own certificate to a server that demands one, and says when it has none", async () => {
    const running = await start({ tls: { ...certified, clientCa: authority.ca } });
    const failure = await attempt(output, running.settings(canary), one, { tls: trusting });
    assert.ok(failure?.retryable);
    assert.equal(running.arrived(), "");
    assert.equal(await attempt(output, running.settings(canary), one, { tls: known }), undefined);
    await until("it arrived", () => namedIn(running.arrived()).size === 1);
    await left(running);
  });
}
