import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { flag, oddValue, secret, text, url } from "../../src/sdk/fields.ts";
import { defineOutput } from "../../src/sdk/output.ts";
import { oneLine } from "../../src/sdk/words.ts";
import { mailError } from "./fault.ts";
import { loginOf, mechanismOf, mechanisms, type Session } from "./login.ts";
import { mailOf } from "./mail.ts";

export default defineOutput({
  name: "smtp",
  display: "SMTP",
  category: "email",
  about: "Mail over SMTP, one per alert.",
  fields: {
    hostport: text("Host and port of the mail server."),
    tls: flag("Demand TLS, by STARTTLS; on port 465 from the first byte.", true),
    implicittls: flag("Begin with TLS on any port."),
    authmechanism: text(`How to log in: ${mechanisms.join(", ")}.`, "plain"),
    user: text("User; without one plain, login, oauthbearer and xoauth2 do not log in."),
    password: secret("Password of plain and login."),
    token: secret("Token of oauthbearer and xoauth2."),
    identity: text("Identity of plain and external."),
    trace: text("Trace of anonymous."),
    from: text("Sender's address."),
    to: text("Addresses of the receivers, comma separated.", "", { commas: true }),
    proxy: url("HTTP proxy through which the mail server is reached, by CONNECT.", { secret: true }),
    outputformat: text("html for tables beside the plain text, text for the text alone.", "html"),
  },
  example: { hostport: "127.0.0.1:25", tls: false, from: "falco@example.com", to: "security@example.com" },
  concurrency: 4,
  direct: ({ hostport, proxy }) => (proxy === "" ? [hostport] : []),
  enabled: (config) => config.hostport !== "",
  warn: ({ outputformat }) => oddValue("outputformat", outputformat, ["html", "text"], "html is used"),
  check: ({ hostport, authmechanism, from, to }) => [
    ...(/^.+:\d+$/.test(hostport) ? [] : ["hostport: is not a host and a port"]),
    ...(mechanismOf(authmechanism) ? [] : [`authmechanism: is none of ${mechanisms.join(", ")}`]),
    ...(from ? [] : ["from: is needed"]),
    ...(to ? [] : ["to: is needed"]),
  ],
  open: async (config, host) => {
    const { createTransport } = await import("nodemailer");
    const [, name = "", digits = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(config.hostport) ?? [];
    const port = Number(digits);
    const login = loginOf(config, name, port);
    const pool = createTransport({
      ...(config.proxy && { proxy: config.proxy }),
      pool: true,
      // The engine says how many mails are on their way, and when one goes again.
      maxConnections: 64,
      maxRequeues: 0,
      idleTimeout: 30_000,
      host: name,
      port,
      secure: config.implicittls || (config.tls && port === 465),
      requireTLS: config.tls,
      ignoreTLS: !config.tls,
      tls: { minVersion: "TLSv1.2", ...host.tls },
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(login && {
        // Asked for a login, it is not left out where the server offers none.
        forceAuth: true,
        auth: { type: "custom", method: "GIVEN", user: config.user || "-", pass: "-" },
        customAuth: { GIVEN: (session: Session) => login(session) },
      }),
    } as Parameters<typeof createTransport>[0]);
    return {
      send: async ([alert], signal) => {
        const { html, ...mail } = mailOf(alert);
        const parts = config.outputformat === "text" ? mail : { ...mail, html };
        const stamp = { messageId: `<${deliveryId(alert)}@eyrie>`, date: new Date(alert.time) };
        const head = { from: config.from, to: config.to, headers: { "Auto-Submitted": "auto-generated" } };
        const work = pool.sendMail({ ...parts, ...stamp, ...head, signal } as object);
        const { rejected = [], rejectedErrors = [] } = (await work.catch((error) => {
          throw mailError(signal.aborted ? signal.reason : error);
        })) as { rejected?: readonly unknown[]; rejectedErrors?: readonly { response?: string }[] };
        if (rejected.length === 0) return;
        const said = oneLine(rejectedErrors[0]?.response ?? "");
        host.log.warn({ refused: rejected.length, said }, "some receivers of a mail were refused");
      },
      close: async () => pool.close(),
    };
  },
});
