/** How a mail client says who it is. */

interface Credentials {
  readonly authmechanism: string;
  readonly user: string;
  readonly password: string;
  readonly token: string;
  readonly identity: string;
  readonly trace: string;
}

/** The conversation that nodemailer lends a mechanism of its user's. */
export interface Session {
  /** Mechanisms that the server offers, in capitals. */
  readonly authMethods: readonly string[];
  sendCommand(line: string): Promise<{ readonly status: number }>;
}

export const mechanisms = ["plain", "login", "oauthbearer", "xoauth2", "external", "anonymous", "none"] as const;
type Mechanism = (typeof mechanisms)[number];

export const mechanismOf = (name: string): Mechanism | undefined =>
  mechanisms.find((mechanism) => mechanism === name.toLowerCase());

/** `why` is what the server's list of logins tells, if it tells anything; `sent` is what a server may repeat of the login. */
export class LoginRefused extends Error {
  readonly responseCode: number;
  readonly why: string;
  readonly sent: readonly string[];
  constructor(responseCode: number, why: string, sent: readonly string[]) {
    super("login refused");
    this.responseCode = responseCode;
    this.why = why;
    this.sent = sent;
  }
}

const offered = (wanted: string, methods: readonly string[]): string => {
  if (methods.includes(wanted)) return "";
  const named = methods.filter((method) => /^[A-Z0-9_-]{1,20}$/.test(method)).slice(0, 10);
  return named.length === 0 ? ": it offers none" : `: it offers ${named.join(", ")}, not ${wanted}`;
};

const base64 = (text: string): string => Buffer.from(text).toString("base64") || "=";

/** The login of a configuration; undefined: none, also for `plain` and the like without a user. Throws when it is refused. */
export const loginOf = (
  config: Credentials,
  host: string,
  port: number,
): ((session: Session) => Promise<void>) | undefined => {
  const { user, password, token, identity, trace } = config;
  const mechanism = mechanismOf(config.authmechanism) ?? "none";
  const texts: Readonly<Record<Mechanism, readonly string[] | undefined>> = {
    plain: user ? [`${identity}\0${user}\0${password}`] : undefined,
    login: user ? ["", user, password] : undefined,
    oauthbearer: user ? [`n,a=${user},\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`] : undefined,
    xoauth2: user ? [`user=${user}\x01auth=Bearer ${token}\x01\x01`] : undefined,
    external: [identity],
    anonymous: [trace],
    none: undefined,
  };
  const said = texts[mechanism];
  if (!said) return undefined;
  const name = mechanism.toUpperCase();
  return async (session) => {
    const [first = "", ...answers] = said;
    let reply = await session.sendCommand(mechanism === "login" ? "AUTH LOGIN" : `AUTH ${name} ${base64(first)}`);
    for (const answer of answers) {
      if (reply.status !== 334) break;
      reply = await session.sendCommand(base64(answer));
    }
    // A refused token is explained first, and refused after the client's empty answer.
    if (reply.status === 334) reply = await session.sendCommand(mechanism === "oauthbearer" ? "AQ==" : "*");
    if (reply.status !== 235)
      throw new LoginRefused(reply.status, offered(name, session.authMethods), said.map(base64));
  };
};
