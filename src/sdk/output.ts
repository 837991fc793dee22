import type { Logger } from "pino";
import type { Alert, Alerts } from "./alert.ts";
import type { Config, Fields } from "./fields.ts";
import type { HttpCall, HttpReply, HttpRequest } from "./http.ts";

/** Limits of one request: alerts, and bytes of their raw events. Nothing waits for a batch to fill: what is in hand goes together. */
export interface Batch {
  readonly items: number;
  readonly bytes?: number;
}

/** An open destination. The engine calls `send` again for what failed: a sender retries nothing itself. */
export interface Sender {
  /**
   * Resolves when the destination took all alerts; throws DeliveryError otherwise. `signal` is the attempt's timeout.
   * `accepted`: when the hub took each alert, milliseconds since the epoch, the same however often it is sent.
   */
  send(alerts: Alerts, signal: AbortSignal, accepted?: readonly number[]): Promise<void>;
  /** A check at start (an index template, an identity): failures are logged, never fatal. */
  start?(signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** What the engine lends an output. */
export interface Host {
  /** One HTTP attempt over the output's own connection pool (TLS, proxy, client certificate from configuration). */
  readonly http: HttpCall;
  readonly log: Logger;
  /** Counts parts of alerts that the destination did not take and that were left out, so that the rest is stored. */
  readonly omitted: (parts: number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** TLS material of the global configuration, for clients that open their own sockets. */
  readonly tls: TlsMaterial;
  /** Global configuration that payloads depend on. */
  readonly hub: HubFacts;
}

/** TLS of one destination, PEM texts. `ca` is trusted beside the usual roots. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

/** Facts of the global configuration that payloads depend on. */
export interface HubFacts {
  /** Display names of the enabled outputs (webui's payload). */
  readonly outputs: readonly string[];
  readonly customfields: Readonly<Record<string, string>>;
  readonly templatedfields: Readonly<Record<string, string>>;
}

/** What `request` may know beside the alerts and the configuration: a clock, for names that carry the date. */
export interface RequestContext {
  readonly now: number;
  readonly hub: HubFacts;
}

/** An output of Falco's own that is switched on in falco.yaml. */
export interface FalcoOutput {
  /** The block: `http_output`. */
  readonly name: string;
  /** Its keys, with Falco's defaults. */
  readonly values: Readonly<Record<string, unknown>>;
  /** `json_output`: alerts as JSON, else their output text. */
  readonly json: boolean;
}

interface Common<S extends Fields> {
  /** = name of the file or folder = YAML key; dots for nested keys (`aws.sqs` lives in outputs/aws-sqs). */
  readonly name: string;
  /** falcosidekick's spelling where it differs: the `destination` label, and the name in the list of enabled outputs. */
  readonly label?: string;
  readonly display?: string;
  readonly category:
    | "chat"
    | "logs"
    | "metrics"
    | "queue"
    | "serverless"
    | "alerting"
    | "email"
    | "storage"
    | "web"
    | "other";
  /** One sentence. */
  readonly about: string;
  readonly fields: S;
  /** A configuration that enables the output: documentation, example file and contract suite read it. */
  readonly example: Readonly<Record<string, unknown>>;
  /** Absent: one alert a request. */
  readonly batch?: Batch;
  /** The limits that a configuration asks for, in place of `batch`. */
  batchOf?(config: Config<S>): Batch;
  /**
   * `stream`: the destination refuses what is older than what it has. Alerts then go in the order of the lane, one request
   * at a time whatever `maxconcurrentrequests` says, and what fails goes again before anything that is newer.
   */
  readonly ordered?: "stream";
  /** Whether an alert may go in one request with the first of it; absent: any may. */
  joins?(first: Alert, next: Alert): boolean;
  /** Attempts in flight when `maxconcurrentrequests` is not set. */
  readonly concurrency?: number;
  /** `host:port` of connections that go straight to their server, whatever proxy the environment names. */
  direct?(config: Config<S>): readonly string[];
  enabled(config: Config<S>): boolean;
  /** Faults in the values that no single field can see; each names its key. */
  check?(config: Config<S>): readonly string[];
  /**
   * The configuration that an output of falco.yaml asks for, in the keys of `fields`, or why it cannot be had here;
   * undefined: another output takes its place.
   */
  fromFalco?(asked: FalcoOutput): Readonly<Record<string, unknown>> | string | undefined;
  /** As `check`, for what works but not as its author may think: warnings at start. */
  warn?(config: Config<S>): readonly string[];
}

/** A destination with a client of its own. */
export interface ClientOutput<S extends Fields = Fields> extends Common<S> {
  /** `signal`: nobody waits for the sender any more, and a connection that is half made is to be given up. */
  open(config: Config<S>, host: Host, signal?: AbortSignal): Sender | Promise<Sender>;
}

/** A destination that is one HTTP request per batch: pure mapping, nothing else. */
export interface HttpOutput<S extends Fields = Fields> extends Common<S> {
  request(alerts: Alerts, config: Config<S>, context: RequestContext): HttpRequest;
  /** Throws DeliveryError when a 2xx answer carries failures. */
  accept?(reply: HttpReply, alerts: Alerts): void;
  /** Throws DeliveryError when a refusal says which of the alerts it is about; the others were taken. */
  refused?(reply: HttpReply, alerts: Alerts, config: Config<S>): void;
}

/** An output of whatever fields: what the registry holds. */
export type Output = ClientOutput | HttpOutput;

/** The output as it is, its configuration typed by its fields. */
export const defineOutput = <const S extends Fields>(output: ClientOutput<S>): ClientOutput<S> => output;
/** The output as it is, its configuration typed by its fields. */
export const defineHttpOutput = <const S extends Fields>(output: HttpOutput<S>): HttpOutput<S> => output;

export type { Alert, Alerts };
