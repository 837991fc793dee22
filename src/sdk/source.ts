import type { Logger } from "pino";
import type { Incoming } from "./event.ts";
import type { EventCatalog } from "./event-catalog.ts";
import type { Config, Fields } from "./fields.ts";

/** A request at a source's listener before its body is read. */
export interface SourceHead {
  readonly method: string;
  /** Path as it was sent, without the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly remote: string;
}

/** One HTTP request at a source's listener: the body complete and decompressed. */
export interface SourceRequest extends SourceHead {
  readonly body: Buffer;
}

/** What a source answers a request with. */
export interface SourceReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of a refusal: why, for the log; holds nothing of the request. */
  readonly why?: string;
}

/** What a listener of a source's own is to be; `maxBodyBytes` counts a body after decompression. */
export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM text; `ca` asks clients for a certificate. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  readonly maxBodyBytes: number;
  /** Asked before anything of the body is read: a reply is sent in its place. Path, method, token and type belong here. */
  admit?(head: SourceHead): SourceReply | undefined;
}

/** Where a source left off. Values are small texts; `set` resolves when the value is durable. */
export interface Checkpoint {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** What became of a text of alerts: those of it that can be taken are. */
export interface AlertsTaken {
  readonly accepted: number;
  /** What was refused, by its place in the text, and why; holds nothing of the alert. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** Work that one of several processes does at a time. */
export interface Lease {
  /** Grows from holder to holder: of two, the larger is the one that counts. */
  readonly token: number;
  /** Aborted when the lease is lost or the source closes: what is read afterwards others read, too. */
  readonly signal: AbortSignal;
  /**
   * How far the work got, shared by all processes that may do it. Once another process has held the lease, `set` rejects
   * with an error of the name `LeaseLostError` and changes nothing.
   */
  readonly checkpoint: Checkpoint;
}

/** What the engine lends a source. */
export interface SourceHost {
  /** Resolves when the events would survive a kill of the process; answer the sender only then. Rejects: refuse (503). */
  push(events: readonly Incoming[]): Promise<void>;
  /**
   * Falco's alerts as they could be posted: one JSON value, an array, or several after each other. They are judged
   * already and go where posted ones go. Resolves and rejects as `push` does; refused ones are counted.
   */
  alerts(text: string): Promise<AlertsTaken>;
  /** A listener of the source's own; resolves with the port when it listens. */
  listen(
    options: ListenOptions,
    handle: (request: SourceRequest) => Promise<SourceReply>,
  ): Promise<{
    readonly port: number;
    /** From the next connection on; where there was no `ca` none is asked for. */
    setTls(tls: NonNullable<ListenOptions["tls"]>): void;
    close(): Promise<void>;
  }>;
  /** How far this process got with what no other reads: a file on its disk. Kept in its data folder. */
  readonly checkpoint: Checkpoint;
  /**
   * For what any process could read but only one should. Calls `work` each time this process gets the source's lease:
   * again when it was lost, or when `work` threw, and not when it ended by itself. With the embedded queue it is always
   * held; of those that share a Redis another holds it within 15 s of the death of the holder, and within 2 s of its end.
   * `close` aborts the signal and resolves when `work` has ended and the lease is given back.
   */
  lease(work: (lease: Lease) => Promise<void>): { close(): Promise<void> };
  /**
   * Calls `reload` when one of the files is not what it was. What it throws is said and counted, and what was read before
   * has to stay in force.
   */
  follow(files: readonly string[], what: string, reload: () => void): { close(): void };
  /** The values of secrets that come from files changed and can be used: all of those. */
  followSecrets(changed: (values: Readonly<Record<string, unknown>>) => void): { close(): void };
  /** Counts events that can never be taken, by a reason from a closed list. */
  drop?(count: number, reason: string): void;
  /** Counts a place where an unknown number of events may be missing. */
  gap?(): void;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A source at work. `close` resolves when it hears nothing more. */
export interface OpenSource {
  /** Resolves when the source hears nothing more; a source that ends by itself (a file) resolves by itself. */
  readonly ended?: Promise<void>;
  /** Where it listens, if it does. */
  readonly port?: number;
  close(): Promise<void>;
}

/** An address that a source listens on. */
export interface Listening {
  /** The key that says so. */
  readonly key: string;
  /** Empty: all addresses. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly path?: string;
  /** Each as people are told of it: `TLS`, `client certificates`, `2 bearer tokens`. */
  readonly traits: readonly string[];
}

/** A plugin of falco.yaml that a source stands in for. */
export interface Plugin {
  readonly name: string;
  readonly libraryPath: string;
  /** As written: text, or the map that YAML held. */
  readonly initConfig: unknown;
  readonly openParams: unknown;
}

/** The plugins of Falco that a source stands in for, by the names that rules files and falco.yaml call them. */
export interface SourcePlugin {
  /** In `load_plugins` and `evt.pluginname`. */
  readonly name: string;
  /** The release whose fields the catalogue has: `required_plugin_versions` is held against it. */
  readonly version: string;
  /** Further plugins that produce the same events, name → version: rules may require those as well. */
  readonly alike?: Readonly<Record<string, string>>;
}

/** Keys of falco.yaml outside of `plugins` that ask for this source. */
export interface FalcoKeys {
  /** By their whole name (`webserver.listen_port`), with Falco's defaults. */
  readonly fields: Fields;
  /**
   * What the values ask for. `given`: the key stands in the file. `plugins`: names under `plugins` and `load_plugins`.
   * Undefined: nothing, and faults in the values are nobody's concern.
   */
  read(asked: {
    readonly values: Readonly<Record<string, unknown>>;
    given(key: string): boolean;
    readonly plugins: readonly string[];
  }): FalcoWish | undefined;
}

/** `key` is the one that asks. */
export type FalcoWish = { readonly key: string } & (
  | { readonly fault: string }
  /** Why it counts for nothing. */
  | { readonly leftOut: string }
  | {
      /** As this entry of `plugins` would. */
      readonly plugin: Plugin;
      /** The source's own keys as falco.yaml calls them. */
      readonly keys: Readonly<Record<string, string>>;
    }
);

/** Where events come from. */
export interface Source<S extends Fields = Fields> {
  /** = file or folder name = YAML key. */
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  readonly fields: S;
  /** A configuration that enables the source. */
  readonly example: Readonly<Record<string, unknown>>;
  /** Of the events that it pushes; sources of the same kind share one. Absent: it brings alerts alone. */
  readonly catalog?: EventCatalog;
  readonly plugin?: SourcePlugin;
  readonly falco?: FalcoKeys;
  enabled(config: Config<S>): boolean;
  /**
   * Faults in the values that no single field can see, each `key: what`, and of the files they name: everything that would
   * keep `open` from succeeding.
   */
  check?(config: Config<S>): readonly string[];
  /** Where it would listen. */
  listens?(config: Config<S>): Listening | undefined;
  /** The files that it would read to their end, in their order; `-` is standard input. */
  reads?(config: Config<S>): readonly string[];
  /** The configuration, in the keys of `fields`, that reads a file from its start and goes on as it grows. */
  following?(file: string, limits: { readonly maxEventBytes: number }): Readonly<Record<string, unknown>>;
  /** The configuration that falco.yaml's plugin asks for, in the keys of `fields`; undefined: not this source's plugin. */
  fromPlugin?(plugin: Plugin): Readonly<Record<string, unknown>> | undefined;
  /** As falco.yaml calls a key of `fields` in an entry of `plugins`: `open_params`; undefined: by its own name. */
  readonly pluginKeys?: Readonly<Record<string, string>>;
  open(config: Config<S>, host: SourceHost): Promise<OpenSource>;
}

/** A source of any shape, as registries hold them. */
export type AnySource = Source;

/** The source as it is, its configuration typed by its fields. */
export const defineSource = <const S extends Fields>(source: Source<S>): Source<S> => source;
