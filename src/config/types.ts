import type { RuleConfig } from "../rules/file/config.ts";
import type { Priority } from "../sdk/alert.ts";
import type { Output, TlsMaterial } from "../sdk/output.ts";
import type { AnySource } from "../sdk/source.ts";
import type { Block } from "./block.ts";
import type { Globals } from "./globals.ts";

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

/** PEM texts of the files that a block names, where it is used. */
interface PemTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** `queue.redis`; `tls` is on for a `rediss://` URL, too. */
export type RedisSettings = Block<Globals, "queue.redis"> & PemTexts;

/** `queue`; `driver` is `redis` once anything says where that is. */
export type QueueSettings = Block<Globals, "queue"> & { readonly redis: RedisSettings };

/** `tlsserver`; the texts are there when `deploy` is on (`ca` with `mutualtls`). */
export type ServerTls = Block<Globals, "tlsserver"> & PemTexts;

/** A k8s-metacollector, and the nodes that it is asked for. */
export interface CollectorSettings {
  /** `host:port`. */
  readonly address: string;
  /** Absent: those that the Kubernetes API tells of. */
  readonly nodes?: readonly string[];
  /** PEM; absent: without TLS. */
  readonly ca?: string;
}

/** `metadata`, and what falco.yaml's plugin k8smeta asks for. */
export type MetadataSettings = Pick<
  Block<Globals, "metadata">,
  "maxobjects" | "maxbytes" | "grace" | "readywithin" | "wait" | "annotations"
> & {
  readonly collectors: readonly CollectorSettings[];
  /** Absent: it is not asked. */
  readonly kubernetes?: KubernetesSettings;
};

/** A Kubernetes API server, and what the hub shows and trusts there. */
export interface KubernetesSettings {
  readonly url: string;
  /** Absent: no token. */
  readonly tokenFile?: string;
  /** Absent: the system's CAs. */
  readonly caFile?: string;
}

/** What a posted alert may have. */
export type AlertLimits = Pick<
  Block<Globals, "limits">,
  "maxalertbytes" | "maxfields" | "maxfieldname" | "maxname" | "maxtags" | "maxtaglength" | "maxrefused"
>;

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

/** The part of falco.yaml that the hub obeys, under falco.yaml's names. */
export interface FalcoConfig extends RuleConfig {
  /** FALCO_HOSTNAME: what alerts say in place of the host's name; empty: not set. */
  readonly hostname: string;
  readonly plugins: readonly PluginConfig[];
  /** Plugins that are loaded: named by `load_plugins`, or all when that key is absent. */
  readonly loaded: readonly PluginConfig[];
  /** `rules_file` too. */
  readonly rules_files: readonly string[];
}

/** What a hub is started with: the hub's keys as `globalFields` defines them, and what was made of all the others. */
export interface HubConfig extends Block<Globals, ""> {
  /** The file that was read, if any. */
  readonly file?: string;
  /** Every key of the hub itself: what the fields below are taken from. */
  readonly values: Globals;
  readonly log: Block<Globals, "log">;
  readonly queue: QueueSettings;
  readonly auth: Block<Globals, "auth">;
  readonly operators: Block<Globals, "operators">;
  readonly limits: Block<Globals, "limits">;
  readonly metrics: Block<Globals, "prometheus">;
  readonly metadata: MetadataSettings;
  readonly enrich: Block<Globals, "enrich">;
  readonly tlsserver: ServerTls;
  /** Files that secrets of the hub itself were read from, by key. */
  readonly secretFiles: Readonly<Record<string, string>>;
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
