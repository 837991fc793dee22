import { readdirSync } from "node:fs";
import type { Reason } from "../../src/sdk/errors.ts";
import type { ServerTls } from "../fakes/certificates.ts";

/** What the suite of clients (`test/contract/clients.test.ts`) asks of the server that an output brings. */

export type Settings = Readonly<Record<string, unknown>>;

/** An answer by which the server refuses alerts, and what delivery is to make of it. */
export interface Refusal<A> {
  readonly answer: A;
  readonly reason: Reason;
  readonly retryable: boolean;
  /** Milliseconds that the server asks for. */
  readonly retryAfterMs?: number;
}

/** How a server treats what it is sent; it takes everything when nothing is said. */
export interface Plan<A> {
  readonly answer?: A;
  /** Of a batch it refuses the alerts whose text this holds for. */
  readonly refuses?: (text: string) => boolean;
  /** When alerts come: the connection is reset, nothing is answered any more, or the answer has no end. */
  readonly fault?: "reset" | "hang" | "endless";
  readonly tls?: ServerTls;
}

export interface Running {
  /** Settings of the output; `secret` stands wherever a secret may. */
  settings(secret: string): Settings;
  /** All that it took, as text. */
  arrived(): string;
  /** Open now. */
  connections(): number;
  /** Bytes of answers without end that were handed to connections. */
  poured(): number;
  close(): Promise<void>;
}

/** What a destination may have none of. */
type Aspect = "answers" | "connection" | "partial" | "throttling" | "tls";

export interface ClientServer<A = unknown> {
  open(plan: Plan<A>): Promise<Running>;
  /** Settings for whatever listens at this port; absent: there are no connections. */
  at?(port: number, secret: string, secure: boolean): Settings;
  readonly refusals: Readonly<Record<string, Refusal<A>>>;
  /** How an alert fails that is refused among others. */
  readonly part?: Pick<Refusal<A>, "reason" | "retryable">;
  /** Why there is none of it. */
  readonly lacks: Readonly<Partial<Record<Aspect, string>>>;
  /** It is asked by HTTP requests that need no client to be read, so that the suite of HTTP outputs holds for it too. */
  readonly plainHttp?: boolean;
}

const folder = new URL("../clients/", import.meta.url);

/** The servers of `test/clients/<output>.ts`, by the output's name. */
export const clientServers: ReadonlyMap<string, ClientServer> = new Map(
  await Promise.all(
    readdirSync(folder).map(async (file) => {
      const { default: server } = (await import(new URL(file, folder).href)) as { default: ClientServer };
      return [file.replace(/\.ts$/, "").replaceAll("-", "."), server] as const;
    }),
  ),
);
