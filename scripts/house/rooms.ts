/** Who may import whom. `test/unit/imports.test.ts` holds the code to it, and `npm run gen` writes CONTRIBUTING's table from it. */

export interface Room {
  /** A folder or file, from the root. */
  readonly path: string;
  readonly what: string;
  /** Rooms, besides itself. `all`: every room. */
  readonly imports: readonly string[] | "all";
  /** Packages of others that no room but these knows. */
  readonly packages?: readonly RegExp[];
}

export const rooms: readonly Room[] = [
  { path: "outputs", what: "destinations: a file or folder each, found by its name", imports: ["src/sdk"] },
  {
    path: "sources",
    what: "where events come from: a file or folder each, found by its name",
    imports: ["src/sdk", "src/audit"],
  },
  { path: "src/json", what: "reading and writing JSON; knows nothing of alerts", imports: [] },
  { path: "src/sdk", what: "the contracts that outputs and sources are written against", imports: ["src/json"] },
  { path: "src/audit", what: "the Kubernetes audit event, for whoever reads one", imports: ["src/sdk", "src/json"] },
  { path: "src/time", what: "time that only goes forward, and waits between tries", imports: [] },
  { path: "src/names", what: "looks names up, in the place of Node's own lookup", imports: [] },
  { path: "src/log", what: "lines of the log, without secrets", imports: ["src/sdk"] },
  {
    path: "src/queue",
    what: "the port and its drivers, `sqlite/` and `redis/`",
    imports: [],
    packages: [/^bullmq$/, /^ioredis$/],
  },
  {
    path: "src/rules",
    what: "Falco's language, from text to alert",
    imports: ["src/sdk"],
    packages: [/^re2js$/],
  },
  {
    path: "src/fields",
    what: "`evt.*`, `json.*`, `jevt.*` and the fields of alerts",
    imports: ["src/sdk", "src/json", "src/rules"],
  },
  {
    path: "src/config",
    what: "defaults < YAML < environment; the only reader of `process.env`",
    imports: ["src/sdk", "src/rules", "src/fields"],
  },
  {
    path: "src/deliver",
    what: "gates, batcher, verdicts, the HTTP client",
    imports: ["src/sdk", "src/time", "src/queue", "src/config"],
    packages: [/^undici$/],
  },
  {
    path: "src/metrics",
    what: "every metric, named once",
    imports: ["src/sdk", "src/queue", "src/deliver"],
    packages: [/^prom-client$/],
  },
  {
    path: "src/pipeline",
    what: "intake, stages, what is known of the cluster, judging, routing",
    imports: ["src/sdk", "src/json", "src/time", "src/config", "src/queue", "src/rules", "src/fields", "src/metrics"],
  },
  {
    path: "src/http",
    what: "doors",
    imports: ["src/sdk", "src/config", "src/queue", "src/metrics", "src/pipeline"],
    packages: [/^koa$/, /^@koa\//],
  },
  {
    path: "src/hub",
    what: "puts the parts together and decides nothing",
    imports: [
      "src/sdk",
      "src/config",
      "src/log",
      "src/queue",
      "src/fields",
      "src/metrics",
      "src/deliver",
      "src/pipeline",
      "src/http",
    ],
  },
  {
    path: "src/cli",
    what: "the commands, a file each",
    imports: [
      "src/sdk",
      "src/config",
      "src/log",
      "src/names",
      "src/rules",
      "src/fields",
      "src/audit",
      "src/queue",
      "src/deliver",
      "src/pipeline",
      "src/hub",
    ],
  },
  { path: "src/main.ts", what: "the command line; the only file that imports the registries", imports: "all" },
];

/** The room that a path from the root is in. */
export const roomOf = (path: string): Room | undefined =>
  rooms.find((room) => path === room.path || path.startsWith(`${room.path}/`));

/** The table for people. */
export const roomsTable = (): string =>
  [
    "| folder | what | may import |",
    "| --- | --- | --- |",
    ...rooms.map(({ path, what, imports, packages = [] }) => {
      const own = imports === "all" ? "all" : imports.map((p) => `\`${p}\``).join(", ");
      const names = packages.map((p) => p.source.replaceAll(/[\\^$]/g, "").replace(/\/$/, "/*"));
      const alone = names.length > 0 ? `; the only place that knows ${names.join(", ")}` : "";
      const theirs = path === "outputs" || path === "sources" ? ", their own folder, their client library" : "";
      return `| \`${path}\` | ${what}${alone} | ${own || "nothing of ours"}${theirs} |`;
    }),
  ].join("\n");
