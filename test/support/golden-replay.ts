import { readFileSync } from "node:fs";
import { openHttp } from "../../src/deliver/http.ts";
import { parseJson } from "../../src/json/parse.ts";
import { rawEvent } from "../../src/sdk/alert.ts";
import type { HttpCall } from "../../src/sdk/http.ts";
import { awsAnswer, bulkAnswer } from "../fakes/answers.ts";
import { openSink, type Received } from "../fakes/http-sink.ts";
import { openNats } from "../fakes/nats.ts";
import { decodeInput, loadInstance } from "./golden-hub.ts";
import { replaySmtp } from "./golden-smtp.ts";
import { replaySyslog } from "./golden-syslog.ts";
import { readableBody } from "./readable-body.ts";
import { openSender, testHost } from "./senders.ts";

/** One request as falcosidekick sent it; `body` is the exact text, generated ids and dates replaced by `<UUID>` and the like. */
export interface GoldenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Set where the destination is the vendor's own host. */
  readonly host?: string;
}

export interface GoldenCase {
  readonly output: string;
  readonly name: string;
  /** YAML; `${SLACK_PORT}` stands for the sink's port. */
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  /** The alert as JSON text; absent: what happens at start. */
  readonly input?: string;
  readonly requests: readonly GoldenRequest[];
}

/** The cases of one output, in falcosidekick's words. */
export const goldenCases = (output: string): readonly GoldenCase[] =>
  readFileSync(new URL(`../golden/outputs/${output}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { input, env, ...rest } = parseJson(line) as unknown as Omit<GoldenCase, "input"> & { input?: unknown };
      return { ...rest, output, env: env ?? {}, ...(input !== undefined && { input: JSON.stringify(input) }) };
    });

/** A request in the form in which two are compared: JSON as values (numbers verbatim), generated ids and dates masked. */
export interface Shape {
  readonly method: string;
  readonly host?: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What the hub sends for a case: read its configuration, read its alert, route, send over a real connection. */
export const replay = (golden: GoldenCase, settings: Settings = {}): Promise<readonly Shape[]> =>
  (transports[golden.output] ?? replayHttp)(golden, settings);

/** Laid over the configuration of a case. */
type Settings = Readonly<Record<string, unknown>>;

const replayNats = async (golden: GoldenCase): Promise<readonly Shape[]> => {
  const server = await openNats();
  try {
    const { output, config, hub, takes } = await loadInstance(golden.output, atPort(golden, server.port), golden.env);
    const alert = decodeInput(golden.input ?? "", hub);
    const refuse: HttpCall = () => Promise.reject(new Error("not over HTTP"));
    const sender = await openSender(
      output,
      config,
      testHost(refuse, () => taken),
    );
    if (takes(alert)) await sender.send([alert], AbortSignal.timeout(10_000));
    await sender.close?.();
    return server.published.map(({ subject, body }) => ({
      method: "PUB",
      path: subject,
      query: "",
      headers: {},
      body: bodyOf(body.replaceAll(alert.uuid, "<UUID>")),
    }));
  } finally {
    await server.close();
  }
};

/** Headers of a signed request that say what it is. */
const awsHeaders = /^(content-type|x-amz-target|x-amz-invocation-type|x-amz-log-type|x-amzn-query-mode)$/;

const replayAws = async (golden: GoldenCase): Promise<readonly Shape[]> => {
  const sink = await openSink((request) => awsAnswer(request));
  const http = openHttp({ rejectUnauthorized: true });
  try {
    const env = {
      ...golden.env,
      AWS_ACCESSKEYID: "key",
      AWS_SECRETACCESSKEY: "secret",
      AWS_REGION: "us-east-1",
      AWS_LAMBDA_ENDPOINT: sink.url,
    };
    const queue = "http://sqs.us-east-1.amazonaws.com";
    const { output, config, hub, takes } = await loadInstance(
      golden.output,
      golden.config.replaceAll(queue, sink.url),
      env,
    );
    const alert = decodeInput(golden.input ?? "", hub);
    const sender = await openSender(
      output,
      config,
      testHost(http, () => taken),
    );
    if (takes(alert)) await sender.send([alert], AbortSignal.timeout(10_000));
    await sender.close?.();
    return sink.requests.map((request) => {
      const shape = shapeOf({ ...request, body: request.body.replaceAll(sink.url, queue) }, undefined, alert.uuid);
      return {
        ...shape,
        headers: Object.fromEntries(Object.entries(shape.headers).filter(([name]) => awsHeaders.test(name))),
      };
    });
  } finally {
    await http.close();
    await sink.close();
  }
};

const transports: Readonly<Record<string, (golden: GoldenCase, settings: Settings) => Promise<readonly Shape[]>>> = {
  nats: replayNats,
  "aws.sqs": replayAws,
  "aws.lambda": replayAws,
  spyderbat: async (golden, settings) => (await replayHttp(golden, settings)).map(withoutClock),
  syslog: async (golden) => (await replaySyslog(golden, taken)).map(goldenShape),
  smtp: async (golden) => (await replaySmtp(golden, taken)).map(goldenShape),
};

/** Spyderbat is told when it is sent something. */
const withoutClock = (shape: Shape): Shape => {
  const body = shape.body as { readonly monotonic_time?: unknown };
  if (body?.monotonic_time === undefined) return shape;
  return { ...shape, body: { ...body, monotonic_time: "<NOW NANOS>", orc_time: "<NOW UNIX FLOAT>" } };
};

const atPort = (golden: GoldenCase, port: number): string =>
  golden.config.replaceAll(/\$\{[A-Z0-9]+_PORT\}/g, String(port));

const replayHttp = async (golden: GoldenCase, settings: Settings): Promise<readonly Shape[]> => {
  const refused = golden.name.includes("mapping-error");
  const sink = await openSink((request) => {
    if (request.method === "GET") return { status: 404 };
    if (request.method === "PUT" && request.path.startsWith("/_index_template/"))
      return { status: 200, headers: { "content-type": "application/json" }, body: '{"acknowledged":true}' };
    if (request.path !== "/_bulk") return { status: 200, body: "ok" };
    return bulkAnswer(request.body, (_, text) =>
      refused && text.includes('"proc.cmdline"') ? mappingFault : undefined,
    );
  });
  const http = openHttp({ rejectUnauthorized: true });
  const hosts: (string | undefined)[] = [];
  const sent: string[] = [];
  const toSink: HttpCall = (request, signal) => {
    const url = new URL(request.url);
    sent.push(readableBody(request));
    hosts.push(url.hostname === "127.0.0.1" ? undefined : url.host);
    return http({ ...request, url: sink.url + url.pathname + url.search }, signal);
  };
  try {
    const instance = await loadInstance(golden.output, atPort(golden, sink.port), golden.env);
    const alert = golden.input === undefined ? undefined : decodeInput(golden.input, instance.hub);
    const host = testHost(toSink, () => taken);
    const sender = await openSender(
      instance.output,
      { ...instance.config, ...settings },
      { ...host, hub: { ...host.hub, outputs: outputsIn(golden) } },
    );
    const signal = AbortSignal.timeout(10_000);
    if (alert === undefined) await sender.start?.(signal);
    else if (instance.takes(alert)) await sender.send([alert], signal);
    await sender.close?.();
    const uuid = alert && JSON.parse(rawEvent(alert)).uuid;
    return sink.requests.map((request, i) => shapeOf(request, hosts[i], uuid, isBinary(request) ? sent[i] : undefined));
  } finally {
    await http.close();
    await sink.close();
  }
};

/** The outputs that were on when a case was recorded, where its request says so. */
const outputsIn = (golden: GoldenCase): readonly string[] => {
  if (golden.output !== "webui") return [];
  return (JSON.parse(golden.requests[0]?.body ?? "{}") as { outputs?: readonly string[] }).outputs ?? [];
};

/** The clock of the cases: a second after the usual alert's time. */
const taken = Date.parse("2025-01-15T10:20:31Z");

const mappingFault = {
  status: 400,
  error: {
    type: "document_parsing_exception",
    reason: "[1:1] failed to parse field [output_fields.proc.cmdline] of type [long] in document with id '1'",
  },
};

/** Of a connection or of the client, not of the message. */
const incidental = new Set(["host", "connection", "content-length", "transfer-encoding", "accept-encoding"]);

/** What the sink reads as text is none. */
const isBinary = ({ headers }: Received): boolean => headers["content-type"] === "application/x-protobuf";

const shapeOf = (
  request: Received,
  host: string | undefined,
  uuid: string | undefined,
  text = readableBody(request),
): Shape => ({
  method: request.method,
  ...(host && { host }),
  path: maskDate(request.path),
  query: request.query,
  headers: lower(request.headers as Record<string, string>, (value) => maskUuid(value, uuid)),
  body: bodyOf(maskUuid(text, uuid)),
});

/** What a destination tells repetitions by is a digest and the uuid. */
const maskUuid = (text: string, uuid: string | undefined): string =>
  uuid ? text.replaceAll(new RegExp(`([0-9a-f]{32}-)?${uuid}`, "g"), "<UUID>") : text;

export const goldenShape = (request: GoldenRequest): Shape => ({
  method: request.method,
  ...(request.host && { host: request.host }),
  path: request.path,
  query: request.query,
  headers: lower(request.headers),
  body: bodyOf(request.body),
});

const lower = (
  headers: Readonly<Record<string, string>>,
  masked = (value: string): string => value,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), masked(value)] as const)
      .filter(([name]) => !incidental.has(name)),
  );

const maskDate = (text: string): string =>
  text
    .replace(/\b20\d\d\.\d\d\.\d\d\b/, "<YYYY.MM.DD>")
    .replace(/-20\d\d\.\d\d\b/, "-<YYYY.MM>")
    .replace(/-20\d\d(?=[/"]|$)/, "-<YYYY>");

/** JSON as a value, JSON lines as a list of values, line protocol as sets of tags, anything else as text. */
const bodyOf = (text: string): unknown => {
  if (text.startsWith("base64:")) return bodyOf(Buffer.from(text.slice(7), "base64").toString());
  if (text.startsWith("events,")) return lineProtocol(text);
  try {
    return plain(parseJson(text));
  } catch {
    // Not one value.
  }
  const lines = text.trimEnd().split("\n");
  if (lines.length > 1 && lines.every((line) => line.startsWith("{")))
    return lines.map((line) => plain(parseJson(line.startsWith('{"create"') ? maskDate(line) : line)));
  return text;
};

/** The order of tags is chance in falcosidekick. */
const lineProtocol = (text: string): unknown => {
  const at = text.lastIndexOf(' value="');
  return {
    tags: text
      .slice(0, at)
      .split(/(?<!\\),/)
      .toSorted(),
    value: text.slice(at),
  };
};

/** Prototypes differ between parsers and do not count. */
const plain = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || "rawJSON" in value) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
};
