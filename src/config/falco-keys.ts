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
