import { defaultRuleConfig as usual } from "../rules/file/config.ts";
import { choice, flag, int, list, pairs, text, url } from "../sdk/fields.ts";

/** Keys of falco.yaml that hold plain values. */
export const falcoFields = {
  load_plugins: list("Names of the plugins to load; absent: all of `plugins`."),
  rules_files: list("Rule files and folders, in the order of loading."),
  rules_file: list("Older name of rules_files."),
  priority: text("Least severe priority of the rules that are loaded.", usual.priority.toLowerCase()),
  rule_matching: choice(
    "Alerts of one event: of the first rule that matches, or of all.",
    ["first", "all"],
    usual.rule_matching,
  ),
  json_output: flag("Write alerts as JSON where they are written to a file or the terminal.", usual.json_output),
  json_include_output_property: flag("The JSON has `output`.", usual.json_include_output_property),
  json_include_message_property: flag(
    "The JSON has `message`: the output without its prefix.",
    usual.json_include_message_property,
  ),
  json_include_output_fields_property: flag("The JSON has `output_fields`.", usual.json_include_output_fields_property),
  json_include_tags_property: flag("The JSON has `tags`.", usual.json_include_tags_property),
  time_format_iso_8601: flag("Times as ISO 8601 in UTC.", usual.time_format_iso_8601),
  static_fields: pairs("Fields with a fixed text, named `static.<name>` in rules.", { exact: true }),
};

/** Keys of falco.yaml that hold lists of maps. */
export const falcoLists = ["plugins", "append_output", "rules"] as const;

/** Keys of falco.yaml's outputs and of its web server, with Falco's defaults. */
export const falcoBlocks = {
  "stdout_output.enabled": flag("Print alerts: `stdout` of the hub."),
  "syslog_output.enabled": flag("Send alerts to the host's syslog: `syslog` with `socket`, when /dev/log is there."),
  "file_output.enabled": flag("Append alerts to a file: `file` of the hub."),
  "file_output.filename": text("The file."),
  "file_output.keep_alive": flag("Without effect: the file is opened for each batch, so that it may be rotated."),
  "http_output.enabled": flag("Post alerts to a URL: `webhook` of the hub."),
  "http_output.url": url("The URL.", { assumed: "http" }),
  "http_output.user_agent": text("User-Agent of the requests.", "falcosecurity/falco"),
  "http_output.insecure": flag("Do not verify the server's certificate."),
  "http_output.ca_cert": text("PEM file of the CA to trust."),
  "http_output.ca_bundle": text("As ca_cert, when that is not set."),
  "http_output.ca_path": text("Folder of CAs: not read.", "/etc/falco/certs/"),
  "http_output.mtls": flag("Show a client certificate."),
  "http_output.client_cert": text("The client certificate.", "/etc/ssl/certs/client.crt"),
  "http_output.client_key": text("Its key.", "/etc/ssl/certs/client.key"),
  "http_output.echo": flag("Print the answers: not done."),
  "http_output.compress_uploads": flag("Compress requests: not done."),
  "http_output.keep_alive": flag("Without effect: connections are always kept."),
  "http_output.max_consecutive_timeouts": int("Without effect: what cannot be delivered waits and goes again.", 5),
  "program_output.enabled": flag("Pipe alerts to a program: not done."),
  "program_output.program": text("The program."),
  "program_output.keep_alive": flag("Without effect."),
  "grpc_output.enabled": flag("Serve alerts over gRPC: not done."),
  "grpc.enabled": flag("Serve gRPC: not done."),
  "grpc.bind_address": text("Without effect."),
  "grpc.threadiness": int("Without effect.", 0),
  "grpc.private_key": text("Without effect."),
  "grpc.cert_chain": text("Without effect."),
  "grpc.root_certs": text("Without effect."),
  "webserver.prometheus_metrics_enabled": flag("Metrics on this port: not done, `/metrics` is on the hub's own."),
};

/** A key of falco.yaml that changes nothing here, and what takes its place. */
export interface UnreadKey {
  readonly why: string;
  /** Values that ask for nothing, not worth a word; a map stands for all that hold what it holds. */
  readonly quiet?: readonly unknown[];
}

const kernel = "system calls go on being read by Falco";
const ownLog = "the hub's log is `log.level` and `log.format`, on standard error";
const ownQueue = "alerts wait in the hub's own durable queue";

/** Keys of falco.yaml without effect here: those that ask for something are named at start, in one warning. */
export const falcoUnread: ReadonlyMap<string, UnreadKey> = new Map(
  Object.entries({
    engine: { why: kernel, quiet: [{ kind: "nodriver" }] },
    base_syscalls: { why: kernel, quiet: [{ custom_set: [], repair: false }] },
    falco_libs: { why: kernel, quiet: [{ thread_table_size: 262_144 }] },
    kernel: { why: kernel },
    modern_bpf: { why: kernel, quiet: [{ cpus_for_each_syscall_buffer: 2 }] },
    syscall_buf_size_preset: { why: kernel, quiet: [4] },
    syscall_drop_failed_exit: { why: kernel, quiet: [false] },
    syscall_event_drops: { why: kernel, quiet: [1, 10, 1000].map((max_burst) => ({ rate: 0.03333, max_burst })) },
    syscall_event_timeouts: { why: kernel, quiet: [{ max_consecutives: 1000 }] },
    container_engines: { why: kernel, quiet: [{ docker: { enabled: true } }] },
    metadata_download: { why: kernel, quiet: [{ max_mb: 100 }] },
    capture: { why: `${kernel}; nothing is captured`, quiet: [{ enabled: false }] },
    buffer_format_base64: { why: "no event here holds byte buffers", quiet: [false] },
    buffered_outputs: { why: "nothing is buffered that was not stored first", quiet: [false] },
    output_timeout: { why: "`timeout` of each output", quiet: [2000] },
    outputs: { why: "`ratelimit` of each output", quiet: [{ rate: 0 }, { rate: 1, max_burst: 1000 }] },
    outputs_queue: { why: ownQueue, quiet: [{ capacity: 0 }] },
    log_stderr: { why: ownLog, quiet: [true] },
    log_syslog: { why: ownLog, quiet: [true, false] },
    log_level: { why: ownLog, quiet: ["info"] },
    libs_logger: { why: ownLog, quiet: [{ enabled: false }, { enabled: true, severity: "info" }] },
    metrics: { why: "`GET /metrics`", quiet: [{ enabled: false }] },
    plugins_hostinfo: { why: "no plugin reads the host here", quiet: [true, false] },
    watch_config_files: { why: "rules files are always watched, the configuration is read at start", quiet: [true] },
  } satisfies Record<string, UnreadKey>),
);
