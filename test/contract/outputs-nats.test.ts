import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nkeys } from "@nats-io/transport-node";
import nats from "../../outputs/nats/index.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alerts } from "../../src/sdk/output.ts";
import { type NatsOptions, openNats } from "../fakes/nats.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const noHttp = () => Promise.reject(new Error("not over HTTP"));

const send = async (
  alerts: Alerts,
  options: NatsOptions = {},
  user = "",
  timeoutMs = 5000,
  jetstream = false,
  more: Readonly<Record<string, unknown>> = {},
) => {
  const server = await openNats(options);
  let fault: DeliveryFault | undefined;
  try {
    const config = configOf(nats, { hostport: `nats://${user}127.0.0.1:${server.port}`, jetstream, ...more });
    const sender = await openSender(nats, config, testHost(noHttp));
    try {
      await sender.send(alerts, AbortSignal.timeout(timeoutMs));
    } catch (error) {
      assert.ok(error instanceof DeliveryError, String(error));
      fault = error.fault;
    }
    await sender.close?.();
  } finally {
    await server.close();
  }
  return { fault, published: server.published, connects: server.connects };
};

describe("nats", () => {
  it("publishes a batch over one connection, each alert under its own message id", async () => {
    const alerts = [1, 2, 3].map((n) => sampleAlert({ uuid: `00000000-0000-4000-8000-00000000000${n}` }));
    const { fault, published, connects } = await send(alerts as unknown as Alerts);
    assert.equal(fault, undefined);
    assert.equal(connects.length, 1);
    assert.deepEqual(
      published.map(({ headers }) => /Nats-Msg-Id: ?(\S+)/.exec(headers)?.[1]),
      alerts.map(deliveryId),
    );
  });

  it("publishes without headers where the server knows none", async () => {
    const { published } = await send([sampleAlert()], { headers: false });
    assert.deepEqual(
      published.map(({ headers }) => headers),
      [""],
    );
  });

  it("says who it is with the address's user and password, or token", async () => {
    const [named] = (await send([sampleAlert()], {}, "u:p%40ss@")).connects;
    assert.deepEqual([named?.user, named?.pass], ["u", "p@ss"]);
    const [token] = (await send([sampleAlert()], {}, "t0ken@")).connects;
    assert.equal(token?.auth_token, "t0ken");
  });

  it("shows the token of a credentials file, which may have lost its last line's end", async () => {
    const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
    const creds = `-----BEGIN NATS USER JWT-----\nthe.user.jwt\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------`;
    const [told] = (await send([sampleAlert()], {}, "", 5000, false, { creds })).connects;
    assert.equal(told?.jwt, "the.user.jwt");
    assert.match(String(told?.nkey), /^U[A-Z0-9]+$/);
  });

  it("takes a missing permission for an authorization fault, not for delivered", async () => {
    const refuse = 'Permissions Violation for Publish to "falco.warning.terminal_shell_in_container"';
    const { fault } = await send([sampleAlert()], { refuse });
    assert.equal(fault?.reason, "auth_error");
  });

  it("waits with jetstream until the stream has stored each alert", async () => {
    const both = [sampleAlert(), sampleAlert({ rule: "other" })] as const;
    const stored = await send(both, { jetstream: true }, "", 5000, true);
    assert.equal(stored.fault, undefined);
    assert.equal(stored.published.length, 2);
    const { fault } = await send(both, {}, "", 300, true);
    assert.deepEqual([fault?.reason, fault?.retryable], ["timeout", true]);
  });

  it("buries the alert alone that is above the server's limit", async () => {
    const large = sampleAlert({ output: "x".repeat(5000) });
    const { fault, published } = await send([sampleAlert(), large], { maxPayload: 4096 });
    assert.deepEqual(fault, { reason: "too_large", retryable: false, failed: [1], dead: [1] });
    assert.equal(published.length, 1);
  });

  it("does not count as delivered what no server confirmed", async () => {
    const { fault } = await send([sampleAlert()], { mute: true }, "", 300);
    assert.deepEqual([fault?.reason, fault?.retryable], ["timeout", true]);
  });

  it("takes a refused connection for a network fault without the address in it", async () => {
    const gone = await openNats();
    await gone.close();
    const config = configOf(nats, { hostport: `nats://u:canary@127.0.0.1:${gone.port}` });
    await assert.rejects(
      async () => (await openSender(nats, config, testHost(noHttp))).send([sampleAlert()], AbortSignal.timeout(5000)),
      (error) => error instanceof DeliveryError && error.fault.retryable && !/canary|127/.test(String(error.stack)),
    );
  });

  it("takes another server of the list when one is away", async () => {
    const [gone, server] = [await openNats(), await openNats()];
    await gone.close();
    try {
      for (const second of [`nats://127.0.0.1:${server.port}`, ` 127.0.0.1:${server.port}`]) {
        const hostport = `nats://u:p@127.0.0.1:${gone.port},${second}`;
        const sender = await openSender(nats, configOf(nats, { hostport }), testHost(noHttp));
        await sender.send([sampleAlert()], AbortSignal.timeout(5000));
        await sender.close?.();
      }
      assert.equal(server.published.length, 2);
      assert.deepEqual(
        server.connects.map(({ user }) => user),
        ["u", "u"],
      );
    } finally {
      await server.close();
    }
  });

  for (const [name, alert] of Object.entries(hostileAlerts))
    it(`publishes ${name} to a subject that NATS takes`, async () => {
      const { fault, published } = await send([alert], { maxPayload: 64 * 1024 * 1024 });
      assert.equal(fault, undefined);
      assert.match(published[0]!.subject, /^falco\.[a-z]+\.[a-z0-9_]+$/);
    });
});
