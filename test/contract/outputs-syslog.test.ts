import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import syslog from "../../outputs/syslog/index.ts";
import { rawEvent } from "../../src/sdk/alert.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alerts, TlsMaterial } from "../../src/sdk/output.ts";
import { makeAuthority } from "../fakes/certificates.ts";
import { openSyslog } from "../fakes/syslog.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { numbered } from "../support/output-sends.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";
import { until } from "../support/until.ts";

const noHttp = () => Promise.reject(new Error("not over HTTP"));

const send = async (
  settings: Readonly<Record<string, unknown>>,
  alerts: Alerts,
  tls: TlsMaterial = { rejectUnauthorized: true },
): Promise<DeliveryFault | undefined> => {
  const sender = await openSender(syslog, configOf(syslog, settings), { ...testHost(noHttp), tls });
  try {
    await sender.send(alerts, AbortSignal.timeout(5000));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DeliveryError, String(error));
    return error.fault;
  }
};

const hostile = Object.values(hostileAlerts) as unknown as Alerts;
const head = /^<[0-7]>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ Falco\[\d+\]: /;

describe("syslog", () => {
  for (const format of ["json", "cef", "output"])
    it(`sends each alert as one line over TCP in format ${format}, whatever is in it`, async (t) => {
      const server = await openSyslog();
      t.after(server.close);
      assert.equal(
        await send({ host: "127.0.0.1", port: `${server.ports.tcp}`, protocol: "tcp", format }, hostile),
        undefined,
      );
      await until("the server heard", () => server.heard.length === 1);
      const lines = server.heard[0]?.text.trimEnd().split("\n") ?? [];
      assert.equal(lines.length, hostile.length);
      for (const line of lines) assert.match(line, head);
      if (format === "json")
        assert.deepEqual(
          lines.map((line) => line.replace(head, "")),
          hostile.map((alert) => rawEvent(alert).toWellFormed()),
        );
    });

  it("sends one datagram an alert over UDP, and gives up the one that fits in none", async (t) => {
    const server = await openSyslog();
    t.after(server.close);
    const huge = sampleAlert({ output: "x".repeat(70_000) });
    const fault = await send({ host: "127.0.0.1", port: `${server.ports.udp}` }, [
      ...numbered(2),
      huge,
    ] as unknown as Alerts);
    assert.deepEqual([fault?.reason, fault?.retryable, fault?.failed], ["too_large", false, [2]]);
    await until("two datagrams", () => server.heard.length === 2);
  });

  it("says that nobody listens, over TCP and over UDP", async () => {
    const gone = await openSyslog();
    await gone.close();
    const { tcp, udp } = gone.ports;
    assert.deepEqual(await send({ host: "127.0.0.1", port: `${tcp}`, protocol: "TCP" }, numbered(1)), {
      reason: "network",
      retryable: true,
    });
    const fault = await send({ host: "127.0.0.1", port: `${udp}` }, numbered(3));
    assert.equal(fault?.reason, "network");
  });

  it("says that the server's name is not known", async () => {
    for (const protocol of ["udp", "tcp"])
      assert.equal((await send({ host: "nowhere.invalid", port: "514", protocol }, numbered(1)))?.reason, "network");
  });

  it("demands a server that it trusts with tls", async (t) => {
    const authority = makeAuthority();
    const server = await openSyslog(authority.server());
    t.after(server.close);
    const settings = { host: "localhost", port: `${server.ports.tcp}`, protocol: "tls" };
    assert.equal((await send(settings, numbered(1)))?.reason, "tls");
    assert.equal(await send(settings, numbered(2), { ca: authority.ca, rejectUnauthorized: true }), undefined);
    await until("the server heard", () => server.heard.length === 1);
    assert.equal(server.heard[0]?.text.trimEnd().split("\n").length, 2);
    const byAddress = { ...settings, host: "127.0.0.1" };
    assert.equal(await send(byAddress, numbered(1), { ca: authority.ca, rejectUnauthorized: true }), undefined);
  });

  it("waits no longer than its attempt for a server that takes nothing", async (t) => {
    const server = createServer({ pauseOnConnect: true }, () => {});
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    t.after(() => server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const config = configOf(syslog, { host: "127.0.0.1", port: `${port}`, protocol: "tcp" });
    const sender = await openSender(syslog, config, testHost(noHttp));
    const large = Array.from({ length: 100 }, () => sampleAlert({ output: "x".repeat(200_000) })) as unknown as Alerts;
    await assert.rejects(async () => sender.send(large, AbortSignal.timeout(300)), /in time/);
  });

  it("hands alerts to the host's own syslog, with their severity, and says when it is not there", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "eyrie-syslog-"));
    const path = join(folder, "log");
    let heard = "";
    // As syslog daemons do, logger takes a stream where there is no datagram socket.
    const server = createServer((socket) =>
      socket.on("data", (data) => {
        heard += data.toString();
      }),
    );
    await new Promise<void>((resolve) => server.listen(path, resolve));
    t.after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const [first, second] = [
      sampleAlert({ output: "one\ntwo", priority: "Critical" }),
      sampleAlert({ priority: "Debug" }),
    ];
    assert.equal(await send({ socket: path, format: "output" }, [first, second]), undefined);
    await until("both were heard", () => heard.split("falco").length === 3);
    assert.match(heard, /^<10>.* falco(\[\d+\])?: one\\ntwo/);
    assert.match(heard, /<15>/);
    assert.equal((await send({ socket: join(folder, "nowhere") }, [first]))?.reason, "network");
  });
});
