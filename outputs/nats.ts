import { type Alert, rawEvent } from "../src/sdk/alert.ts";
import { DeliveryError, type Reason } from "../src/sdk/errors.ts";
import { flag, text, url } from "../src/sdk/fields.ts";
import { defineOutput, type Host } from "../src/sdk/output.ts";

type Nats = typeof import("@nats-io/transport-node");

const standard = "falco.<priority>.<rule>";

export default defineOutput({
  name: "nats",
  display: "NATS",
  category: "queue",
  about: "NATS: the raw event, published to a subject made of priority and rule.",
  fields: {
    hostport: url("URL of the server; it may hold user and password, or a token.", {
      secret: true,
      schemes: ["nats", "tls"],
    }),
    subjecttemplate: text("Subject; <priority> and <rule> are replaced.", standard),
    jetstream: flag("Publish to JetStream and wait until the stream has stored each alert."),
  },
  example: { hostport: "nats://127.0.0.1:4222", subjecttemplate: standard },
  batch: { items: 500, bytes: 1_048_576 },
  enabled: (config) => config.hostport !== "",
  open: async (config, host) => {
    const nats = await import("@nats-io/transport-node");
    const connection = await nats.connect(optionsOf(config.hostport, host)).catch((error) => fail(nats, error));
    const js = config.jetstream ? (await import("@nats-io/jetstream")).jetstream(connection) : undefined;
    let refused: unknown;
    void (async () => {
      for await (const status of connection.status()) if (status.type === "error") refused = status.error;
    })();
    return {
      send: async (alerts, signal) => {
        refused = undefined;
        const most = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
        const large = alerts.flatMap((alert, i) => (Buffer.byteLength(rawEvent(alert)) > most - 200 ? [i] : []));
        const publish = (alert: Alert) => {
          const subject = subjectOf(alert, config.subjecttemplate || standard);
          const headers = connection.info?.headers ? nats.headers() : undefined;
          headers?.set("Nats-Msg-Id", alert.uuid);
          const options = headers ? { headers } : {};
          if (js) return js.publish(subject, rawEvent(alert), options);
          return connection.publish(subject, rawEvent(alert), options);
        };
        const work = async () => {
          await Promise.all(alerts.filter((_, i) => !large.includes(i)).map(publish));
          await connection.flush();
        };
        await until(work(), signal).catch((error) => fail(nats, error));
        if (refused) fail(nats, refused);
        if (large.length > 0)
          throw new DeliveryError("above the server's max_payload", {
            reason: "too_large",
            retryable: false,
            failed: large,
          });
      },
      close: () => connection.close(),
    };
  },
});

/** Lower case, everything but letters of the alphabet and digits as single `_`. */
const slug = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_|_$/g, "") || "unnamed";

export const subjectOf = (alert: Alert, template: string): string =>
  template.replaceAll("<priority>", alert.priority.toLowerCase()).replaceAll("<rule>", slug(alert.rule));

/** Reconnecting is the engine's: a connection that broke is closed and opened anew. */
const optionsOf = (hostport: string, { tls }: Host) => {
  const { host, protocol, username, password } = new URL(hostport);
  const user = password ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {};
  const token = username && !password ? { token: decodeURIComponent(username) } : {};
  const secure = protocol === "tls:" || tls.cert !== undefined;
  const material = { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: tls.rejectUnauthorized };
  const given = Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined));
  return { servers: host, name: "eyrie", reconnect: false, ...user, ...token, ...(secure && { tls: given }) };
};

const until = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new DeliveryError("no answer in time", { reason: "timeout", retryable: true }));
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
};

const fail = (nats: Nats, error: unknown): never => {
  if (error instanceof DeliveryError) throw error;
  const auth = [nats.AuthorizationError, nats.PermissionViolationError, nats.UserAuthenticationExpiredError];
  const reason: Reason = auth.some((kind) => error instanceof kind) ? "auth_error" : "network";
  throw new DeliveryError(reason === "auth_error" ? "NATS refused the user" : "NATS is not reached", {
    reason,
    retryable: true,
  });
};
