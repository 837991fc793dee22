/** The command line and the composition root: the only file that knows which outputs and sources exist. */
import { outputs } from "../outputs/index.ts";
import { sources } from "../sources/index.ts";
import { type Command, type CommandIo, UsageError } from "./cli/command.ts";
import { environment } from "./config/environment.ts";
import { printableLines } from "./sdk/printable.ts";

/** Name → what it does, and how to load it: a command pays for its own imports only. */
const commands: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Command> }>> = {
  hub: { about: "run the hub (what happens without a command)", load: async () => (await import("./cli/hub.ts")).hub },
  run: {
    about: "apply rules to a file of audit events, as Falco does",
    load: async () => (await import("./cli/run.ts")).run,
  },
  test: {
    about: "check rules against the tests written for them",
    load: async () => (await import("./cli/test-rules.ts")).testRules,
  },
  "check-config": {
    about: "read the configuration and list every problem",
    load: async () => (await import("./cli/check-config.ts")).checkConfig,
  },
  outputs: {
    about: "list the outputs and their parameters, or show one",
    load: async () => (await import("./cli/outputs.ts")).outputs,
  },
  "send-test": {
    about: "send one alert to each configured output and say what it answered",
    load: async () => (await import("./cli/send-test.ts")).sendTest,
  },
  "dead-letters": {
    about: "list what a running hub gave up, send it again or discard it",
    load: async () => (await import("./cli/dead-letters.ts")).deadLetters,
  },
  "damaged-files": {
    about: "list the damaged queue files that are kept, or release them",
    load: async () => (await import("./cli/damaged-files.ts")).damagedFiles,
  },
  metadata: {
    about: "what a running hub knows of its cluster, and how it comes to know it",
    load: async () => (await import("./cli/metadata.ts")).metadata,
  },
  fields: {
    about: "list the fields of audit events, or extract them from a file",
    load: async () => (await import("./cli/fields.ts")).fields,
  },
  "audit-config": {
    about: "write the audit policy and webhook kubeconfig for a cluster",
    load: async () => (await import("./cli/audit-config.ts")).auditConfig,
  },
};

const usage = (): string =>
  `Usage: eyrie [command] [flags]\n\nCommands:\n${Object.entries(commands)
    .map(([name, { about }]) => `  ${name.padEnd(14)} ${about}`)
    .join("\n")}\n\nFlags of the hub:
  -c, --config-file FILE   YAML, falcosidekick's keys and falco.yaml's; the environment wins over it
  --role all|intake|worker
  -v, --version
  -h, --help\n`;

const main = async (argv: readonly string[]): Promise<number> => {
  const io: CommandIo = {
    env: environment(),
    stdin: process.stdin,
    stdout: steadied(process.stdout),
    stderr: steadied(process.stderr),
    outputs,
    sources,
  };
  const [first = ""] = argv;
  if (first === "-h" || first === "--help" || first === "help") {
    io.stdout.write(usage());
    return 0;
  }
  const named = first !== "" && !first.startsWith("-");
  const command = commands[named ? first : "hub"];
  try {
    if (!command) throw new UsageError(`no command "${first}"`);
    return await (await command.load())(named ? argv.slice(1) : argv, io);
  } catch (error) {
    if (!(error instanceof UsageError) && !isArgsError(error)) throw error;
    // A command that has no help of its own.
    if (argv.includes("-h") || argv.includes("--help")) {
      io.stdout.write(usage());
      return 0;
    }
    io.stderr.write(`eyrie: ${error.message}\n${usage()}`);
    return 1;
  }
};

/** Whatever a command prints, texts of senders and files among it, cannot steer the terminal. */
const steadied = (stream: NodeJS.WriteStream): CommandIo["stdout"] =>
  ({
    write: (text: string) => stream.write(printableLines(text)),
    on: stream.on.bind(stream),
    once: stream.once.bind(stream),
    off: stream.off.bind(stream),
    removeListener: stream.removeListener.bind(stream),
  }) as CommandIo["stdout"];

/** What node:util parseArgs throws for a flag it does not know. */
const isArgsError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");

// Whoever reads along may go away; that ends no hub, and for a command there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
// A client that does not let go of a connection half made shall not hold a finished command.
setTimeout(() => process.exit(), 1000).unref();
