import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import smtp from "../../outputs/smtp.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alert } from "../../src/sdk/output.ts";
import { decodeInput, loadInstance } from "../support/golden-hub.ts";
import { goldenCases } from "../support/golden-replay.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

interface Mail {
  readonly from: string;
  readonly to: string;
  readonly source: string;
}

/** A mail server that keeps what it is sent. */
const openServer = async (options: SMTPServerOptions = {}) => {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 10,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
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
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const { port } = server.server.address() as AddressInfo;
  return { port, mails, close: () => new Promise<void>((done) => server.close(() => done())) };
};

const noHttp = () => Promise.reject(new Error("not over HTTP"));
const base = { tls: false, authmechanism: "none", from: "falco@example.com", to: "a@example.com, b@example.com" };

const send = async (alert: Alert, settings: object = {}, options: SMTPServerOptions = {}) => {
  const server = await openServer(options);
  let fault: DeliveryFault | undefined;
  try {
    const config = configOf(smtp, { hostport: `127.0.0.1:${server.port}`, ...base, ...settings });
    const host = { ...testHost(noHttp), tls: { rejectUnauthorized: false } };
    await (await openSender(smtp, config, host)).send([alert], AbortSignal.timeout(5000));
  } catch (error) {
    assert.ok(error instanceof DeliveryError, String(error));
    assert.doesNotMatch(`${error.message} ${error.stack}`, /canary|127\.0\.0\.1/);
    fault = error.fault;
  } finally {
    await server.close();
  }
  return { fault, mails: server.mails };
};

const decoders: Readonly<Record<string, (raw: string) => string>> = {
  base64: (raw) => Buffer.from(raw, "base64").toString(),
  "quoted-printable": (raw) => {
    const bytes = raw
      .replaceAll("=\r\n", "")
      .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1").toString();
  },
};

/** A mail's head with its lines unfolded, and its plain text decoded. */
const read = (source: string) => {
  const head = source.slice(0, source.indexOf("\r\n\r\n"));
  const boundary = /boundary="?([^"\r\n;]+)/.exec(head)?.[1];
  const parts = boundary === undefined ? [source] : source.split(`--${boundary}`);
  const part =
    parts.find((text, i) => (boundary === undefined || i > 0) && text.includes("Content-Type: text/plain")) ?? "";
  const start = part.indexOf("\r\n\r\n");
  const encoding = /Content-Transfer-Encoding: (\S+)/.exec(part.slice(0, start))?.[1] ?? "";
  const text = (decoders[encoding] ?? String)(part.slice(start + 4));
  return { head: head.replaceAll(/\r\n[ \t]+/g, " "), text: text.replaceAll("\r\n", "\n").trimEnd() };
};

describe("smtp", () => {
  for (const golden of goldenCases("smtp").filter(({ name }) => !name.includes("bad-mech")))
    it(`mails the text that falcosidekick mailed: ${golden.name}`, async () => {
      const server = await openServer();
      try {
        const yaml = golden.config.replaceAll(/\$\{[A-Z]+_PORT\}/g, String(server.port));
        const { config, hub, takes } = await loadInstance("smtp", yaml, golden.env);
        const alert = decodeInput(golden.input ?? "", hub);
        const plain = { ...config, tls: false, authmechanism: "none" };
        if (takes(alert))
          await (await openSender(smtp, plain, testHost(noHttp))).send([alert], AbortSignal.timeout(5000));
        const known = golden.requests.map(({ path, query, body }) => [path, query, body]);
        assert.deepEqual(
          server.mails.map(({ from, to, source }) => [from, to, read(source).text]),
          known,
        );
      } finally {
        await server.close();
      }
    });

  it("refuses an unknown mechanism at start, where falcosidekick would mail nothing, silently", () => {
    const faults = smtp.check?.(configOf(smtp, { hostport: "h:25", ...base, authmechanism: "login" }) as never) ?? [];
    assert.match(faults.join(), /^authmechanism: /);
  });

  it("asks for the mechanism it is given, in any case", async () => {
    const seen: unknown[] = [];
    const options: SMTPServerOptions = {
      authMethods: ["PLAIN"],
      onAuth: ({ method, username, password }, _session, done) => {
        seen.push([method, username, password]);
        done(null, { user: username });
      },
      allowInsecureAuth: true,
    };
    const { fault, mails } = await send(sampleAlert(), { authmechanism: "PLAIN", user: "u", password: "p" }, options);
    assert.equal(fault, undefined);
    assert.equal(mails.length, 1);
    assert.deepEqual(seen, [["PLAIN", "u", "p"]]);
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
      assert.doesNotMatch(read(mails[0]!.source).head, /^X-Injected/m);
    });
});
