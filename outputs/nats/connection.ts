import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { type Config, secret, severalUrls, text, url } from "../../src/sdk/fields.ts";
import type { TlsMaterial } from "../../src/sdk/output.ts";
import { boundedTransport, type Opening } from "./transport.ts";

type Nats = typeof import("@nats-io/transport-node");
type NodeOptions = NonNullable<Parameters<Nats["connect"]>[0]>;

/** Where a NATS server is and who asks. */
export const natsFields = {
  hostport: url("URL of the server, or of several with commas; it may hold user and password, or a token.", {
    secret: true,
    schemes: ["nats", "tls"],
    several: true,
  }),
  user: text("User, when the URL holds none."),
  password: secret("Password of the user."),
  token: secret("Token, in place of user and password."),
  nkey: secret("Seed of an nkey (SU…)."),
  creds: secret("Content of a credentials file: a JWT and its seed."),
};
type Settings = Config<typeof natsFields>;

export const natsUrls = (hostport: string): readonly URL[] => severalUrls(hostport).filter((one) => one !== undefined);

/**
 * One connection. Reconnecting is the engine's: a connection that broke is closed and opened anew. `signal`: nobody waits
 * for it any more.
 */
export const connectNats = async (
  nats: Nats,
  config: Settings,
  tls: TlsMaterial,
  signal?: AbortSignal,
): Promise<NatsConnection> => {
  const opening: Opening = { signal };
  const giveUp = (): void => opening.giveUp?.(late());
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await dialled(nats, config, tls, opening);
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
};

const dialled = async (nats: Nats, config: Settings, tls: TlsMaterial, opening: Opening): Promise<NatsConnection> => {
  const module = await import("@nats-io/transport-node/lib/node_transport.js");
  const Transport = boundedTransport(module, nats);
  nats.setTransportFactory({ factory: () => new Transport(), dnsResolveFn: module.nodeResolveHost });
  const connect = (more: NodeOptions): Promise<NatsConnection> =>
    nats.NatsConnectionImpl.connect({ ...more, opening } as ConnectionOptions);
  const urls = natsUrls(config.hostport);
  const options = { servers: urls.map(({ host }) => host), name: "eyrie", reconnect: false, ...who(nats, config) };
  const { ca, cert, key, rejectUnauthorized } = tls;
  const given = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const demanded = urls.some(({ protocol }) => protocol === "tls:") || cert !== undefined;
  const plain = { ...options, ...(demanded && { tls: { ...given, rejectUnauthorized } }) };
  if (demanded || (rejectUnauthorized && !ca)) return connect(plain);
  try {
    return await connect({ ...options, tls: { ...given, rejectUnauthorized } });
  } catch (error) {
    // Said before any credentials are: with `nats://` the server decides, and this one has no TLS.
    if (error instanceof nats.ConnectionError && error.message.includes("does not support 'tls'"))
      return connect(plain);
    throw error;
  }
};

/** Credentials by their strength: a JWT, an nkey, a token, a user; the configuration's own keys before the URL's. */
const who = (nats: Nats, config: Settings): Partial<ConnectionOptions> => {
  const bytes = (value: string) => new TextEncoder().encode(`${value.trim()}\n`);
  const { username, password } = natsUrls(config.hostport).find((one) => one.username !== "") ?? nobody;
  if (config.creds) return { authenticator: nats.credsAuthenticator(bytes(config.creds)) };
  if (config.nkey) return { authenticator: nats.nkeyAuthenticator(new TextEncoder().encode(config.nkey.trim())) };
  const token = config.token || (username && !password && !config.user ? decodeURIComponent(username) : "");
  if (token) return { token };
  if (config.user) return { user: config.user, pass: config.password };
  return username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {};
};

const nobody = { username: "", password: "" };

const late = (): DeliveryError => new DeliveryError("no answer in time", { reason: "timeout", retryable: true });

/** The work, or a timeout when the attempt is over. */
export const until = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(late());
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
};

/** Told of what a server says beside its answers. */
export interface Watcher {
  /** An error, a missing permission among them, without saying for which message. */
  error(error: Error): void;
  /** The connection is over; what waits for an answer gets none. */
  closed(error: Error | undefined): void;
}

/** Tells who listens; the answer stops the listening. */
export const watchConnection = (connection: NatsConnection): ((watcher: Watcher) => () => void) => {
  const listening = new Set<Watcher>();
  void (async () => {
    for await (const status of connection.status())
      if (status.type === "error") for (const watcher of listening) watcher.error(status.error);
  })();
  void connection.closed().then((error) => {
    for (const watcher of listening) watcher.closed(error instanceof Error ? error : undefined);
  });
  return (watcher) => {
    listening.add(watcher);
    return () => void listening.delete(watcher);
  };
};
