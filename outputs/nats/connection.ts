import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { type Config, secret, severalUrls, text, url } from "../../src/sdk/fields.ts";
import type { TlsMaterial } from "../../src/sdk/output.ts";

type Nats = typeof import("@nats-io/transport-node");

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

/** One connection. Reconnecting is the engine's: a connection that broke is closed and opened anew. */
export const connectNats = async (nats: Nats, config: Settings, tls: TlsMaterial): Promise<NatsConnection> => {
  const urls = natsUrls(config.hostport);
  const options = { servers: urls.map(({ host }) => host), name: "eyrie", reconnect: false, ...who(nats, config) };
  const { ca, cert, key, rejectUnauthorized } = tls;
  const given = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const demanded = urls.some(({ protocol }) => protocol === "tls:") || cert !== undefined;
  const plain = { ...options, ...(demanded && { tls: { ...given, rejectUnauthorized } }) };
  if (demanded || (rejectUnauthorized && !ca)) return nats.connect(plain);
  try {
    return await nats.connect({ ...options, tls: { ...given, rejectUnauthorized } });
  } catch (error) {
    // Said before any credentials are: with `nats://` the server decides, and this one has no TLS.
    if (error instanceof nats.ConnectionError && error.message.includes("does not support 'tls'"))
      return nats.connect(plain);
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

/** The work, or a timeout when the attempt is over. */
export const until = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new DeliveryError("no answer in time", { reason: "timeout", retryable: true }));
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
};

/** Tells listeners of errors that the server sends beside its answers, a missing permission among them, without saying for which message. */
export const watchErrors = (connection: NatsConnection): ((tell: (error: Error) => void) => () => void) => {
  const listening = new Set<(error: Error) => void>();
  void (async () => {
    for await (const status of connection.status())
      if (status.type === "error") for (const tell of listening) tell(status.error);
  })();
  return (tell) => {
    listening.add(tell);
    return () => void listening.delete(tell);
  };
};
