import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import smtp from "../../outputs/smtp/index.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alert, Host } from "../../src/sdk/output.ts";
import { makeAuthority } from "../fakes/certificates.ts";
import { openSmtp } from "../fakes/smtp.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { readMail } from "../support/mail-text.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

interface Mail {
  readonly from: string;
  readonly to: string;
  readonly source: string;
}

const certified = makeAuthority().server();

/** A mail server that keeps what it is sent. */
const openServer = async (options: SMTPServerOptions = {}, at = 0) => {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...certified,
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 10,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (stream.sizeExceeded) return done(Object.assign(new Error("canary"), { responseCode: 552 }));
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        mails.push({
          from,
          to: rcptTo.map(({ address }) => address).join(","),
          source: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((done) => server.listen(at, "127.0.0.1", () => done()));
  const { port } = server.server.address() as AddressInfo;
  return { port, mails, close: () => new Promise<void>((done) => server.close(() => done())) };
};

const noHttp = () => Promise.reject(new Error("not over HTTP"));
const base = { tls: false, authmechanism: "none", from: "falco@example.com", to: "a@example.com, b@example.com" };

const send = async (
  alert: Alert,
  settings: object = {},
  options: SMTPServerOptions = {},
  timeoutMs = 5000,
  tls: Host["tls"] = { rejectUnauthorized: false },
) => {
  const server = await openServer(options);
  let fault: DeliveryFault | undefined;
  try {
    const config = configOf(smtp, { hostport: `127.0.0.1:${server.port}`, ...base, ...settings });
    const host = { ...testHost(noHttp), tls };
    const sender = await openSender(smtp, config, host);
    await sender.send([alert], AbortSignal.timeout(timeoutMs)).finally(() => sender.close?.());
  } catch (error) {
    assert.ok(error instanceof DeliveryError, String(error));
    assert.doesNotMatch(`${error.message} ${error.stack}`, /canary|127\.0\.0\.1/);
    fault = error.fault;
  } finally {
    await server.close();
  }
  return { fault, mails: server.mails };
};

const names = ["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"];

describe("smtp", () => {
  it("refuses an unknown mechanism at start, where falcosidekick would mail nothing, silently", () => {
    const faults = smtp.check?.(configOf(smtp, { hostport: "h:25", ...base, authmechanism: "ntlm" }) as never) ?? [];
    assert.match(faults.join(), /^authmechanism: /);
  });

  for (const [mechanism, credentials] of Object.entries({
    PLAIN: { user: "u", password: "p" },
    login: { user: "u", password: "p" },
    XOAuth2: { user: "u", token: "p" },
  }))
    it(`logs in by ${mechanism}, in any case`, async () => {
      const seen: unknown[] = [];
      const options: SMTPServerOptions = {
        authMethods: ["PLAIN", "LOGIN", "XOAUTH2"],
        onAuth: ({ method, username, password, accessToken }, _session, done) => {
          seen.push([method, username, password ?? accessToken]);
          done(null, { user: username });
        },
        allowInsecureAuth: true,
      };
      const { fault, mails } = await send(sampleAlert(), { authmechanism: mechanism, ...credentials }, options);
      assert.equal(fault, undefined);
      assert.equal(mails.length, 1);
      assert.deepEqual(seen, [[mechanism.toUpperCase(), "u", "p"]]);
    });

  it("answers the explanation of a refused token, and takes the refusal for one", async () => {
    const refusals: Readonly<Record<string, (line: string) => string>> = {
      oauthbearer: (line) => (line.startsWith("AUTH") ? "334 eyJzdGF0dXMiOiI0MDEifQ==" : "535 no"),
      xoauth2: (line) => (line.startsWith("AUTH") ? "334 eyJzdGF0dXMiOiI0MDEifQ==" : "535 no"),
      plain: () => "235-not\r\n535 quite",
      anonymous: () => "504 unknown",
      external: () => "535 no",
    };
    for (const [authmechanism, login] of Object.entries(refusals)) {
      const server = await openSmtp({ login });
      const config = { ...base, hostport: `127.0.0.1:${server.port}`, authmechanism, user: "u", token: "canary" };
      const sender = await openSender(smtp, configOf(smtp, config), testHost(noHttp));
      await assert.rejects(
        sender.send([sampleAlert()], AbortSignal.timeout(5000)),
        (error) => error instanceof DeliveryError && error.fault.reason === "auth_error" && error.fault.retryable,
        authmechanism,
      );
      assert.equal(server.mails.length, 0);
      await sender.close?.();
      await server.close();
    }
  });

  it("mails nothing where it is to log in and the server knows no logins", async () => {
    const options: SMTPServerOptions = { disabledCommands: ["AUTH"] };
    const { fault, mails } = await send(sampleAlert(), { authmechanism: "plain", user: "u", password: "p" }, options);
    assert.deepEqual([fault?.reason, mails.length], ["auth_error", 0]);
  });

  it("keeps its connection from mail to mail", async () => {
    const server = await openSmtp();
    const config = configOf(smtp, { hostport: `127.0.0.1:${server.port}`, ...base });
    const sender = await openSender(smtp, config, testHost(noHttp));
    for (let i = 0; i < 5; i++) await sender.send([sampleAlert()], AbortSignal.timeout(5000));
    assert.deepEqual([server.mails.length, server.connections()], [5, 1]);
    await sender.close?.();
    await server.close();
  });

  it("finds the server again that was away", async () => {
    const first = await openServer();
    const config = configOf(smtp, { hostport: `127.0.0.1:${first.port}`, ...base });
    const sender = await openSender(smtp, config, testHost(noHttp));
    const attempt = () => sender.send([sampleAlert()], AbortSignal.timeout(5000));
    await attempt();
    await first.close();
    await assert.rejects(
      attempt,
      (error) => error instanceof DeliveryError && error.fault.reason === "network" && error.fault.retryable,
    );
    const second = await openServer({}, first.port);
    await attempt();
    assert.deepEqual([first.mails.length, second.mails.length], [1, 1]);
    await sender.close?.();
    await second.close();
  });

  it("gives up with the attempt when the server is silent", async () => {
    const { fault } = await send(sampleAlert(), {}, { onMailFrom: () => {} }, 300);
    assert.deepEqual([fault?.reason, fault?.retryable], ["timeout", true]);
  });

  it("mails those receivers that are taken, and none when all are refused", async () => {
    const refuse = (pattern: RegExp): SMTPServerOptions => ({
      onRcptTo: ({ address }, _session, done) =>
        done(pattern.test(address) ? Object.assign(new Error("canary"), { responseCode: 550 }) : null),
    });
    const some = await send(sampleAlert(), {}, refuse(/^a@/));
    assert.deepEqual([some.fault, some.mails[0]?.to], [undefined, "b@example.com"]);
    const none = await send(sampleAlert(), {}, refuse(/./));
    assert.deepEqual([none.fault, none.mails.length], [{ reason: "client_error", retryable: false }, 0]);
  });

  it("buries a mail that is too large for the server", async () => {
    const { fault, mails } = await send(sampleAlert({ output: "x".repeat(9000) }), {}, { size: 8192 });
    assert.deepEqual([fault, mails.length], [{ reason: "too_large", retryable: false }, 0]);
  });

  it("mails nothing when the server refuses the user", async () => {
    const options: SMTPServerOptions = {
      onAuth: (_auth, _session, done) => done(new Error("no")),
      allowInsecureAuth: true,
    };
    const { fault, mails } = await send(
      sampleAlert(),
      { authmechanism: "plain", user: "u", password: "canary" },
      options,
    );
    assert.deepEqual([fault?.reason, fault?.retryable, mails.length], ["auth_error", true, 0]);
  });

  it("mails nothing in the clear when STARTTLS is demanded and not offered", async () => {
    const { fault, mails } = await send(sampleAlert(), { tls: true }, { disabledCommands: ["STARTTLS"] });
    assert.deepEqual([fault?.retryable, mails.length], [true, 0]);
  });

  it("mails over STARTTLS", async () => {
    const { fault, mails } = await send(sampleAlert(), { tls: true });
    assert.deepEqual([fault, mails.length], [undefined, 1]);
  });

  it("mails over TLS from the first byte", async () => {
    const { fault, mails } = await send(sampleAlert(), { tls: true, implicittls: true }, { secure: true });
    assert.deepEqual([fault, mails.length], [undefined, 1]);
  });

  it("mails nothing to a server that it does not trust", async () => {
    const tls = { rejectUnauthorized: true };
    const untrusted: object[] = [{ tls: true }, { tls: true, implicittls: true }];
    for (const settings of untrusted) {
      const { fault, mails } = await send(sampleAlert(), settings, { secure: "implicittls" in settings }, 5000, tls);
      assert.deepEqual([fault, mails.length], [{ reason: "tls", retryable: true }, 0]);
    }
  });

  it("retries what the server postpones and buries what it refuses", async () => {
    const refuse = (responseCode: number): SMTPServerOptions => ({
      onMailFrom: (_address, _session, done) => done(Object.assign(new Error("canary"), { responseCode })),
    });
    assert.deepEqual((await send(sampleAlert(), {}, refuse(451))).fault, { reason: "server_error", retryable: true });
    assert.deepEqual((await send(sampleAlert(), {}, refuse(550))).fault, { reason: "client_error", retryable: false });
  });

  for (const [name, alert] of Object.entries(hostileAlerts))
    it(`mails ${name} without a header or a recipient of the alert's making`, async () => {
      const { fault, mails } = await send(alert);
      assert.equal(fault, undefined);
      assert.equal(mails[0]?.to, "a@example.com,b@example.com");
      const { headers, text } = readMail(mails[0]!.source);
      assert.deepEqual(Object.keys(headers).toSorted(), names);
      assert.ok(headers.subject?.startsWith(`[${alert.priority}]`));
      assert.ok(text.startsWith(`Priority: ${alert.priority}\nOutput:`));
      for (const line of mails[0]!.source.split("\r\n")) assert.ok(Buffer.byteLength(line) <= 998, "a line too long");
      assert.doesNotMatch(mails[0]!.source, /[^\r]\n|\r[^\n]|\0/);
    });
});
