import { DeliveryError, type Reason } from "../src/sdk/errors.ts";
import { type Config, flag, secret, text } from "../src/sdk/fields.ts";
import { mailOf } from "../src/sdk/mail.ts";
import { defineOutput } from "../src/sdk/output.ts";

const mechanisms = ["plain", "oauthbearer", "external", "anonymous", "none"];

const fields = {
  hostport: text("Host and port of the mail server."),
  tls: flag("Demand STARTTLS.", true),
  authmechanism: text("plain, oauthbearer, external, anonymous or none.", "plain"),
  user: text("User of plain and oauthbearer; without one nothing is sent for them."),
  password: secret("Password of plain."),
  token: secret("Token of oauthbearer."),
  identity: text("Identity of plain and external."),
  trace: text("Trace of anonymous."),
  from: text("Sender's address."),
  to: text("Addresses of the receivers, comma separated."),
  outputformat: text("html for tables beside the plain text, text for the text alone.", "html"),
};
type Settings = Config<typeof fields>;

export default defineOutput({
  name: "smtp",
  display: "SMTP",
  category: "email",
  about: "Mail over SMTP, one per alert.",
  fields,
  example: {
    hostport: "127.0.0.1:25",
    tls: false,
    authmechanism: "none",
    from: "falco@example.com",
    to: "security@example.com",
  },
  enabled: (config) => config.hostport !== "",
  check: ({ hostport, authmechanism, from, to }) => [
    ...(/^.+:\d+$/.test(hostport) ? [] : ["hostport: is not a host and a port"]),
    ...(mechanisms.includes(authmechanism.toLowerCase()) ? [] : [`authmechanism: is none of ${mechanisms.join(", ")}`]),
    ...(from && to ? [] : ["from: is needed, and to"]),
  ],
  open: async (config, host) => {
    const { createTransport } = await import("nodemailer");
    const [, name = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(config.hostport) ?? [];
    const login = loginOf(config, name, port);
    return {
      send: async ([alert], signal) => {
        const transport = createTransport({
          host: name,
          port: Number(port),
          secure: false,
          requireTLS: config.tls,
          ignoreTLS: !config.tls,
          tls: { ...host.tls },
          disableFileAccess: true,
          disableUrlAccess: true,
          ...(login && {
            auth: { type: "custom", method: "GIVEN", user: config.user, pass: "" },
            customAuth: {
              GIVEN: async (session: { sendCommand(line: string): Promise<{ status: number }> }) => login(session),
            },
          }),
        } as Parameters<typeof createTransport>[0]);
        const abort = () => transport.close();
        signal.addEventListener("abort", abort, { once: true });
        try {
          const { html, ...mail } = mailOf(alert);
          const sending = transport.sendMail({
            ...mail,
            ...(config.outputformat !== "text" && { html }),
            from: config.from,
            to: config.to,
            date: new Date(alert.time),
            messageId: `<${alert.uuid}@eyrie>`,
          });
          const late = new Promise<never>((_, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
          );
          await Promise.race([sending, late]);
        } catch (error) {
          throw faultOf(error, signal);
        } finally {
          signal.removeEventListener("abort", abort);
          transport.close();
        }
      },
    };
  },
});

/** Sends the one AUTH command of the mechanism; undefined: nothing to say. */
const loginOf = (config: Settings, host: string, port: string) => {
  const { user, password, token, identity, trace } = config;
  const said: Readonly<Record<string, string | undefined>> = {
    plain: user && `${identity}\0${user}\0${password}`,
    oauthbearer: user && `n,a=${user},\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`,
    external: identity,
    anonymous: trace,
  };
  const mechanism = config.authmechanism.toLowerCase();
  const text = said[mechanism];
  if (!text && !["external", "anonymous"].includes(mechanism)) return undefined;
  const initial = Buffer.from(text ?? "").toString("base64") || "=";
  return async (session: { sendCommand(line: string): Promise<{ status: number }> }) => {
    const { status } = await session.sendCommand(`AUTH ${mechanism.toUpperCase()} ${initial}`);
    if (status >= 300) throw Object.assign(new Error("refused"), { code: "EAUTH", responseCode: status });
  };
};

const faultOf = (error: unknown, signal: AbortSignal): DeliveryError => {
  if (signal.aborted) return new DeliveryError("no answer in time", { reason: "timeout", retryable: true });
  const { code, responseCode: said = 0 } = error as { code?: string; responseCode?: number };
  const fail = (reason: Reason, retryable: boolean) =>
    new DeliveryError(said ? `SMTP ${said}` : "the mail server is not reached", { reason, retryable });
  if (code === "EAUTH") return fail("auth_error", true);
  if (code === "ETLS") return fail("tls", true);
  if (said === 552 || said === 534) return fail("too_large", false);
  if (said >= 500) return fail("client_error", false);
  return said >= 400 ? fail("server_error", true) : fail("network", true);
};
