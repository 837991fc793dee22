import type { Priority } from "../sdk/alert.ts";
import type { Output, TlsMaterial } from "../sdk/output.ts";
import type { AnySource } from "../sdk/source.ts";

/** One finding about the configuration. Errors stop the start, all of them listed; warnings are logged. */
export interface Problem {
  /** `info`: nothing is wrong, but somebody may wonder. */
  readonly severity: "error" | "warning" | "info";
  /** On warnings: what the hub starts without, loudly: the output of this id, or, without one, the key's option alone. */
  readonly off?: { readonly output?: string };
  /** Dotted path as documentation writes it (`slack.webhookurl`, `slack[1].match.tags`), or the environment variable's name. */
  readonly key: string;
  /** What is wrong and what would be right; never a secret value. */
  readonly message: string;
  /** Absent: the value came from the environment, a flag, or nowhere. */
  readonly file?: string;
  /** Both count from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** Which alerts an instance gets; everything that is set must hold. */
export interface MatchSettings {
  readonly minimumpriority?: Priority;
  /** At least one of them is on the alert. */
  readonly tags?: readonly string[];
  /** Globs (`*`, `?`), case-sensitive; at least one fits the rule's name. */
  readonly rules?: readonly string[];
  /** A condition in the rules' language, as it was written. */
  readonly condition?: string;
}

export interface RateLimit {
  /** Alerts a second, above 0. */
  readonly perSecond: number;
  readonly burst: number;
}

export interface RetrySettings {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Attempts in all; absent: without limit. */
  readonly maxAttempts?: number;
  /** Age since acceptance at which an alert is given up; absent: never. */
  readonly maxAgeMs?: number;
}

export interface DeliverySettings {
  /** Attempts in flight; Infinity: without limit (`maxconcurrentrequests: 0`). */
  readonly maxconcurrentrequests: number;
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly ratelimit?: RateLimit;
  readonly retry: RetrySettings;
  /** Absent: the output's own limits. */
  readonly batch?: { readonly items: number; readonly bytes?: number };
  /** Consecutive failed attempts that open the breaker, and how long it stays open. */
  readonly breaker: { readonly failures: number; readonly openMs: number };
}

/** TLS of one instance: file contents, read at start. `checkcert` is ignored with `mutualtls`, as falcosidekick does. */
export interface TransportSettings extends TlsMaterial {
  readonly checkcert: boolean;
  readonly mutualtls: boolean;
  readonly certfile?: string;
  readonly keyfile?: string;
  readonly cacertfile?: string;
}

export interface OutputInstance {
  /** `slack`, or `slack.<instance name>` in a list: stable, for its lane bears it. */
  readonly id: string;
  /** The name within a list. */
  readonly name?: string;
  readonly output: Output;
  /** Parsed by `output.fields`; pass it to `output.open` or `output.request`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly match: MatchSettings;
  readonly delivery: DeliverySettings;
  readonly transport: TransportSettings;
}

export interface SourceInstance {
  readonly id: string;
  readonly name?: string;
  readonly source: AnySource;
  readonly config: Readonly<Record<string, unknown>>;
  /** Files that secrets among them were read from, by key. */
  readonly secretFiles: Readonly<Record<string, string>>;
  /** What a key is called where it was written: `kafka[1].brokers`, `plugins.kafka.open_params`. */
  readonly written: (key: string) => string;
}

export interface RedisSettings {
  /** `redis://` or `rediss://`, may hold credentials. Empty with Sentinel or Cluster nodes. */
  readonly url: string;
  /** Prefix of every key; braces make it a Cluster hash tag. */
  readonly prefix: string;
  readonly username: string;
  readonly password: string;
  /** `host:port` each. */
  readonly cluster: readonly string[];
  readonly sentinels: readonly string[];
  readonly sentinelname: string;
  readonly sentinelusername: string;
  readonly sentinelpassword: string;
  readonly tls: boolean;
  readonly checkcert: boolean;
  /** PEM text. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface QueueSettings {
  readonly driver: "sqlite" | "redis";
  /** `normal`: an accepted event survives a kill of the process; `full`: a loss of power too. */
  readonly durability: "normal" | "full";
  /** Bytes that the embedded store may take on disk; 0: as much as there is. */
  readonly maxbytes: number;
  /** Bytes of memory for alerts that are on their way, over all outputs. */
  readonly memory: number;
  readonly redis: RedisSettings;
}

export interface ServerTls {
  readonly deploy: boolean;
  readonly certfile: string;
  readonly keyfile: string;
  readonly mutualtls: boolean;
  readonly cacertfile: string;
  readonly notlsport: number;
  readonly notlspaths: readonly string[];
  /** PEM text of the files above, present when `deploy` is on (`ca` with `mutualtls`). */
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** What a posted alert may have. */
export interface AlertLimits {
  /** Of one alert as compact JSON, in bytes. */
  readonly maxalertbytes: number;
  /** Entries of output_fields. */
  readonly maxfields: number;
  /** Characters of a field's name. */
  readonly maxfieldname: number;
  /** Characters of the rule, the source and the hostname, each. */
  readonly maxname: number;
  readonly maxtags: number;
  /** Characters of one tag. */
  readonly maxtaglength: number;
  /** Refused values of one body, behind which the rest is not read. */
  readonly maxrefused: number;
}

export interface LimitSettings extends AlertLimits {
  /** Of one request body, after decompression. */
  readonly maxbodybytes: number;
  /** Bodies being read or waiting to be stored, all of a listener; above it intake answers 503. */
  readonly maxinflightbytes: number;
  /** At work at a listener. */
  readonly maxrequests: number;
  /** Until a request is complete. */
  readonly requesttimeoutMs: number;
  /** Until a body is complete, from when it is wanted. */
  readonly bodytimeoutMs: number;
  /** Of a listener; 0: any number. */
  readonly maxconnections: number;
  /** Bytes that one compressed byte may become, above the first mebibyte. */
  readonly maxcompressionratio: number;
}

/** What `/metrics` may grow to, and who may read it. */
export interface MetricsSettings {
  /** Empty: everybody may. */
  readonly token: string;
  /** Label sets of falco_events_total, and bytes of its lines. */
  readonly maxseries: number;
  readonly maxbytes: number;
  /** Characters of a label value. */
  readonly maxlabel: number;
}

/** A plugin of falco.yaml. `initConfig` and `openParams` are as written: text, or the map that YAML held. */
export interface PluginConfig {
  readonly name: string;
  readonly libraryPath: string;
  readonly initConfig: unknown;
  readonly openParams: unknown;
  readonly line?: number;
  /** What asks for it, when that is another key than `plugins`. */
  readonly from?: {
    readonly key: string;
    /** Its source's keys as they are called there. */
    readonly keys: Readonly<Record<string, string>>;
    readonly file?: string;
    readonly line?: number;
    readonly column?: number;
  };
}

export interface AppendOutput {
  readonly match: { readonly rule?: string; readonly source?: string; readonly tags?: readonly string[] };
  readonly extraOutput?: string;
  /** Field names, or name → format. */
  readonly extraFields: readonly (string | Readonly<Record<string, string>>)[];
  readonly suggestedOutput?: boolean;
}

/** One entry of falco.yaml's `rules:`; applied in order. */
export interface RuleSelection {
  readonly action: "enable" | "disable";
  /** Exact name, or with `*`. */
  readonly rule?: string;
  readonly tag?: string;
}

/** The part of falco.yaml that the hub obeys. */
export interface FalcoConfig {
  /** FALCO_HOSTNAME: what alerts say in place of the host's name; empty: not set. */
  readonly hostname: string;
  readonly plugins: readonly PluginConfig[];
  /** Plugins that are loaded: named by `load_plugins`, or all when that key is absent. */
  readonly loaded: readonly PluginConfig[];
  readonly rulesFiles: readonly string[];
  readonly appendOutput: readonly AppendOutput[];
  readonly rules: readonly RuleSelection[];
  readonly ruleMatching: "first" | "all";
  readonly priority: Priority;
  readonly jsonOutput: boolean;
  readonly jsonIncludeOutputProperty: boolean;
  readonly jsonIncludeMessageProperty: boolean;
  readonly jsonIncludeOutputFieldsProperty: boolean;
  readonly jsonIncludeTagsProperty: boolean;
  readonly timeFormatIso8601: boolean;
  readonly bufferFormatBase64: boolean;
  readonly staticFields: Readonly<Record<string, string>>;
}

export interface HubConfig {
  /** The file that was read, if any. */
  readonly file?: string;
  readonly role: "all" | "intake" | "worker";
  readonly listenaddress: string;
  readonly listenport: number;
  readonly debug: boolean;
  readonly log: {
    readonly format: "auto" | "json" | "pretty";
    readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  };
  readonly datadir: string;
  readonly queue: QueueSettings;
  readonly auth: {
    /** Empty: no bearer token is asked for. */
    readonly token: string;
    /** Name of a sender → its token. */
    readonly tokens: Readonly<Record<string, string>>;
  };
  readonly operators: {
    /** Bearer token of the operators' API; empty: `auth.token`, and without that only clients on the machine itself. */
    readonly token: string;
  };
  /** Files that secrets of the hub itself were read from, by key. */
  readonly secretFiles: Readonly<Record<string, string>>;
  readonly limits: LimitSettings;
  readonly metrics: MetricsSettings;
  readonly shutdowntimeoutMs: number;
  readonly customfields: Readonly<Record<string, string>>;
  readonly customtags: readonly string[];
  /** Name → Go template. */
  readonly templatedfields: Readonly<Record<string, string>>;
  readonly bracketreplacer: string;
  readonly outputfieldformat: string;
  /** Output fields that become metric labels. */
  readonly prometheusextralabels: readonly string[];
  readonly tlsserver: ServerTls;
  /** CA and client certificate for connections that no output instance owns. */
  readonly tls: TlsMaterial;
  /** Standard proxy variables, as undici reads them: absent when not set. */
  readonly proxy: { readonly http?: string; readonly https?: string; readonly no?: string };
  readonly falco: FalcoConfig;
  readonly outputs: readonly OutputInstance[];
  readonly sources: readonly SourceInstance[];
  /** Every source that there is, configured or not: rules may be for the events of any, which other processes hear. */
  readonly knownSources: readonly AnySource[];
  /** What was asked for and is not there: outputs and options that are off. */
  readonly off: readonly Problem[];
}

export interface Loaded {
  readonly config: HubConfig;
  readonly problems: readonly Problem[];
}
