import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect as dial } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, nkeys } from "@nats-io/transport-node";
import nats from "../../outputs/nats/index.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import type { Alerts, Host } from "../../src/sdk/output.ts";
import { makeAuthority } from "../fakes/certificates.ts";
import { falcoAlert } from "../support/alerts.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { type RealServer, startServer, without } from "../support/real-server.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";
import { until } from "../support/until.ts";

const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = dial(port, "127.0.0.1");
    socket.once("data", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => resolve(false)).once("data", () => socket.destroy());
    socket.setTimeout(2000, () => socket.destroy());
  });

/** `settings` are nats-server's own, in its configuration language. */
const startNats = (settings: (dir: string) => string = () => ""): Promise<RealServer> =>
  startServer({
    service: "nats",
    args: (port, dir) => {
      writeFileSync(
        join(dir, "nats.conf"),
        `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${dir}/store" }\n${settings(dir)}\n`,
      );
      return ["-c", join(dir, "nats.conf")];
    },
    ready: greets,
  });

const stream = { name: "falco", subjects: ["falco.>"] };
const stored = async (connection: NatsConnection) => {
  const { state } = await (await jetstreamManager(connection)).streams.info("falco");
  return state.messages;
};
const noHttp = () => Promise.reject(new Error("not over HTTP"));

/** One attempt of a sender of its own. */
const attempt = async (
  config: Readonly<Record<string, unknown>>,
  alerts: Alerts = [sampleAlert()],
  tls: Host["tls"] = { rejectUnauthorized: true },
) => {
  const signal = AbortSignal.timeout(10_000);
  try {
    const sender = await openSender(nats, configOf(nats, config), { ...testHost(noHttp), tls });
    try {
      await sender.send(alerts, signal);
    } finally {
      await sender.close?.();
    }
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DeliveryError, String(error));
    return error.fault;
  }
};

describe("a real nats-server", { skip: without("nats") }, () => {
  let server: RealServer;
  let watcher: NatsConnection;
  before(async () => {
    server = await startNats();
    watcher = await connect({ port: server.port });
    await (await jetstreamManager(watcher)).streams.add(stream);
  });
  after(async () => {
    await watcher?.close();
    await server?.stop();
  });

  it("hands a published alert to a subscriber, under priority and rule", async () => {
    const heard = watcher.subscribe("falco.>", { max: 1 });
    await watcher.flush();
    assert.equal(await attempt({ hostport: `nats://127.0.0.1:${server.port}` }), undefined);
    for await (const message of heard) {
      assert.equal(message.subject, "falco.warning.terminal_shell_in_container");
      assert.equal(message.headers?.get("Nats-Msg-Id"), deliveryId(sampleAlert()));
      assert.equal(message.json<{ rule: string }>().rule, sampleAlert().rule);
    }
  });

  it("stores an alert once, however often it is sent", async () => {
    const once = sampleAlert({ uuid: "00000000-0000-4000-8000-0000000000aa" });
    const before = await stored(watcher);
    for (let i = 0; i < 3; i++)
      assert.equal(await attempt({ hostport: `nats://127.0.0.1:${server.port}`, jetstream: true }, [once]), undefined);
    assert.equal(await stored(watcher), before + 1);
  });

  it("does not take an alert for stored when no stream listens", async () => {
    const config = {
      hostport: `nats://127.0.0.1:${server.port}`,
      jetstream: true,
      subjecttemplate: "elsewhere.<rule>",
    };
    assert.deepEqual(await attempt(config), { reason: "not_found", retryable: true, failed: [0] });
  });

  it("does not take an alert for stored that the stream refuses", async () => {
    const manager = await jetstreamManager(watcher);
    await manager.streams.add({ name: "small", subjects: ["small.>"], max_msg_size: 2000 });
    const config = { hostport: `nats://127.0.0.1:${server.port}`, jetstream: true, subjecttemplate: "small.<rule>" };
    const large = sampleAlert({ output: "x".repeat(4000), uuid: "00000000-0000-4000-8000-0000000000ab" });
    assert.deepEqual(await attempt(config, [sampleAlert(), large]), {
      reason: "too_large",
      retryable: false,
      failed: [1],
      dead: [1],
    });
    assert.equal((await manager.streams.info("small")).state.messages, 1);
  });
});

describe("a real nats-server that asks who comes", { skip: without("nats") }, () => {
  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  let named: RealServer;
  let token: RealServer;
  before(async () => {
    named = await startNats(
      () => `authorization { users: [
        { user: "hub", password: "s3cret", permissions: { publish: { allow: ["falco.>", "$JS.API.>"], deny: ["falco.debug.>"] } } },
        { nkey: ${user.getPublicKey()} }
      ] }`,
    );
    token = await startNats(() => 'authorization { token: "t0ken" }');
  });
  after(async () => {
    await named?.stop();
    await token?.stop();
  });

  it("takes user and password, from the URL and from keys of their own", async () => {
    assert.equal(await attempt({ hostport: `nats://hub:s3cret@127.0.0.1:${named.port}` }), undefined);
    const config = { hostport: `nats://127.0.0.1:${named.port}`, user: "hub", password: "s3cret" };
    assert.equal(await attempt(config), undefined);
  });

  it("takes an nkey and a token", async () => {
    assert.equal(await attempt({ hostport: `nats://127.0.0.1:${named.port}`, nkey: seed }), undefined);
    assert.equal(await attempt({ hostport: `nats://127.0.0.1:${token.port}`, token: "t0ken" }), undefined);
    assert.equal(await attempt({ hostport: `nats://t0ken@127.0.0.1:${token.port}` }), undefined);
  });

  it("refuses strangers, and the attempt says so", async () => {
    const wrong = { user: "hub", password: "wrong" };
    for (const who of [{}, wrong, { token: "wrong" }, { nkey: new TextDecoder().decode(nkeys.createUser().getSeed()) }])
      assert.deepEqual(await attempt({ hostport: `nats://127.0.0.1:${named.port}`, ...who }), {
        reason: "auth_error",
        retryable: true,
      });
  });

  it("fails those alerts alone whose subject the user may not publish to", async () => {
    const config = { hostport: `nats://hub:s3cret@127.0.0.1:${named.port}` };
    const alerts: Alerts = [sampleAlert(), sampleAlert({ priority: "Debug" }), sampleAlert({ priority: "Error" })];
    assert.deepEqual(await attempt(config, alerts), { reason: "auth_error", retryable: true, failed: [1] });
  });
});

describe("a real nats-server with TLS", { skip: without("nats") }, () => {
  const authority = makeAuthority();
  let server: RealServer;
  let plain: RealServer;
  before(async () => {
    server = await startNats((dir) => {
      const { cert, key } = authority.server();
      writeFileSync(join(dir, "cert.pem"), cert);
      writeFileSync(join(dir, "key.pem"), key);
      writeFileSync(join(dir, "ca.pem"), authority.ca);
      return `tls { cert_file: "${dir}/cert.pem", key_file: "${dir}/key.pem", ca_file: "${dir}/ca.pem", verify: true }`;
    });
    plain = await startNats();
  });
  after(async () => {
    await server?.stop();
    await plain?.stop();
  });

  it("is trusted by its CA and trusts the client's certificate, whichever scheme is written", async () => {
    const tls = { ca: authority.ca, ...authority.client("hub"), rejectUnauthorized: true };
    for (const scheme of ["tls", "nats"])
      assert.equal(await attempt({ hostport: `${scheme}://127.0.0.1:${server.port}` }, undefined, tls), undefined);
  });

  it("is not trusted without its CA", async () => {
    const fault = await attempt({ hostport: `tls://127.0.0.1:${server.port}` });
    assert.deepEqual(fault, { reason: "tls", retryable: true });
  });

  it("is not spoken to in the clear where TLS is asked for, and is where it is not", async () => {
    const tls = { ca: authority.ca, rejectUnauthorized: true };
    const fault = await attempt({ hostport: `tls://127.0.0.1:${plain.port}` }, undefined, tls);
    assert.equal(fault?.retryable, true);
    assert.equal(await attempt({ hostport: `nats://127.0.0.1:${plain.port}` }, undefined, tls), undefined);
  });
});

describe("the hub and a nats-server that is killed", { skip: without("nats") }, () => {
  it("stores every accepted alert once after the server is back", async (t) => {
    const server = await startNats();
    const { dir, remove } = scratch();
    t.after(async () => {
      await server.stop();
      remove();
    });
    const make = async (work: (connection: NatsConnection) => Promise<unknown>) => {
      const connection = await connect({ port: server.port });
      try {
        return await work(connection);
      } finally {
        await connection.close();
      }
    };
    await make(async (connection) => (await jetstreamManager(connection)).streams.add(stream));
    const config = `nats:\n  hostport: nats://127.0.0.1:${server.port}\n  jetstream: true\n  retry:\n    initial: 100ms\n    max: 500ms\n`;
    const hub = await startHub({ datadir: dir, config });
    try {
      const first = await postAll(hub.url, 50, falcoAlert);
      await until("the first are stored", async () => (await make(stored)) === 50);
      await server.kill();
      const second = await postAll(hub.url, 50, (n) => falcoAlert(50 + n));
      assert.deepEqual([first.statuses, second.statuses], [{ 200: 50 }, { 200: 50 }]);
      await server.start();
      await until("the others are stored", async () => ((await make(stored)) as number) >= 100);
      const ids = new Set<string>();
      await make(async (connection) => {
        const { streams } = await jetstreamManager(connection);
        assert.equal(await stored(connection), 100);
        for (let seq = 1; seq <= 100; seq++) {
          const message = await streams.getMessage("falco", { seq });
          ids.add(message?.header.get("Nats-Msg-Id") ?? "");
        }
      });
      assert.equal(ids.size, 100);
    } finally {
      await hub.stop();
    }
  });
});
