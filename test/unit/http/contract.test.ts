import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type AlertSettings, decodeAlerts } from "../../../src/pipeline/alert-in.ts";
import { type Alert, rawEvent } from "../../../src/sdk/alert.ts";
import { alertLimits, type Reply, request, start } from "./support.ts";

interface Case {
  readonly name: string;
  readonly send: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The bytes of the connection, verbatim. */
  readonly raw?: string;
  /** Built here: too long for a file. */
  readonly made?: true;
  readonly reply: string;
  readonly deliveries?: number;
  /** What differs from the base alert in the delivered one, and what it lacks. */
  readonly delivered?: Record<string, unknown>;
  readonly absent?: readonly string[];
}

interface Contract {
  readonly pieces: Record<string, string>;
  readonly replies: Record<string, { status: number; headers: Record<string, string>; body: string; continued?: true }>;
  readonly cases: readonly Case[];
}

const contract = JSON.parse(
  readFileSync(new URL("../../golden/http-contract.json", import.meta.url), "utf8"),
) as Contract;

const fill = (text: string): string => text.replace(/\$\{(\w)\}/g, (_, name: string) => contract.pieces[name]!);
const base = `{${["H", "F", "R", "T", "D"].map((k) => (k === "F" ? '"output_fields": ' : "") + contract.pieces[k]).join(", ")}}`;

const withOutput = (length: number): string => JSON.stringify({ ...JSON.parse(base), output: "x".repeat(length) });
const withFields = (fields: string): string => base.replace(contract.pieces.F!, fields);
const nested = (depth: number): string => withFields(`{"a": ${"[".repeat(depth)}${"]".repeat(depth)}}`);
const close = "Host: x\r\nConnection: close\r\n";

const made: Record<string, () => { raw: string } | { body: string }> = {
  chunked: () => ({
    raw: `POST / HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n${base.length.toString(16)}\r\n${base}\r\n0\r\n\r\n`,
  }),
  "expect-100": () => ({
    raw: `POST / HTTP/1.1\r\n${close}Expect: 100-continue\r\nContent-Length: ${base.length}\r\n\r\n${base}`,
  }),
  http10: () => ({ raw: `POST / HTTP/1.0\r\nContent-Length: ${base.length}\r\n\r\n${base}` }),
  "content-length-mismatch-short": () => ({ raw: `POST / HTTP/1.1\r\n${close}Content-Length: 10\r\n\r\n${base}` }),
  "header-too-large": () => ({ raw: `POST / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(2 << 20)}\r\n\r\n` }),
  "big-1MB-output": () => ({ body: withOutput(1 << 20) }),
  "big-20MB-output": () => ({ body: withOutput(20 << 20) }),
  "10000-fields": () => ({
    body: withFields(JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, "v"])))),
  }),
  "deep-nesting-9000": () => ({ body: nested(9000) }),
  "deep-nesting-11000": () => ({ body: nested(11_000) }),
};

const bytesOf = (c: Case): (string | Buffer)[] => {
  const source = c.made ? made[c.name]!() : c;
  if ("raw" in source && source.raw !== undefined) return [source.raw];
  const text = ("body" in source ? source.body : undefined) ?? "";
  const body = text.startsWith("base64:") ? Buffer.from(text.slice(7), "base64") : Buffer.from(fill(text));
  const lines = Object.entries(c.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  return [`${c.send} HTTP/1.1\r\n${close}${lines.join("")}Content-Length: ${body.length}\r\n\r\n`, body];
};

/** What the hub answers where it means to differ; everything else is compared as it is. */
interface Difference {
  readonly why: string;
  readonly status: number;
  readonly deliveries: number;
  readonly check?: (reply: Reply) => void;
}

const taken = (why: string, deliveries = 1): Difference => ({ why, status: 200, deliveries });
const names = (index: number) => (reply: Reply) => {
  const answer = JSON.parse(reply.body) as { accepted: number; rejected: { index: number; reason: string }[] };
  assert.equal(answer.accepted, 1);
  assert.equal(answer.rejected[0]?.index, index);
};
const hasReason = (reply: Reply): void => {
  assert.equal(reply.headers["Content-Type"], "application/json");
  assert.equal(reply.headers["X-Content-Type-Options"], "nosniff");
  const answer = JSON.parse(reply.body) as { error: string; rejected: { index: number; reason: string }[] };
  assert.equal(answer.error, "Please send a valid request body");
  assert.ok(answer.rejected.length > 0);
  for (const one of answer.rejected) assert.ok(one.reason.length > 0);
};

const differences: Record<string, Difference> = {
  "body-array": taken("a list of alerts is taken"),
  "two-objects-ndjson": taken("every alert of a body is taken, not only the first", 2),
  "trailing-garbage": { ...taken("what is refused beside a good alert is named"), check: names(1) },
  "output_fields-missing": taken("an alert whose rule prints no field is an alert"),
  "output_fields-null": taken("an alert whose rule prints no field is an alert"),
  "output_fields-empty": taken("an alert whose rule prints no field is an alert"),
  "gzip-content-encoding": taken("a compressed body is read"),
  "k8s.ns.name-number": taken("a number as namespace is delivered instead of ending the connection"),
  "k8s.pod.name-bool": taken("a boolean as pod name is delivered instead of ending the connection"),
  "k8s.ns.name-array": taken("a list as namespace is delivered instead of ending the connection"),
  ...Object.fromEntries(
    ["big-1MB-output", "big-20MB-output"].map((name) => [
      name,
      {
        why: "an alert above limits.maxalertbytes is refused by name: each destination would have to hold it",
        status: 413,
        deliveries: 0,
        check: hasReason,
      },
    ]),
  ),
  "deep-nesting-11000": {
    why: "nesting beyond 10,000 is answered instead of resetting the connection",
    status: 400,
    deliveries: 0,
    check: hasReason,
  },
};

const expected = (c: Case): Difference | undefined =>
  differences[c.name] ??
  (c.reply === "invalid"
    ? { why: "an invalid body is answered with a JSON reason", status: 400, deliveries: 0, check: hasReason }
    : undefined);

const dropHeaders = (headers: Readonly<Record<string, string>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

/** Headers that differ by design: Date is not recorded, lengths are told, HTTP/1.0 hears about the close, scrapes vary by encoding. */
const headersAside: Record<string, readonly string[]> = {
  okOld: ["Date", "Connection"],
  metrics: ["Date", "Content-Length", "Transfer-Encoding", "Vary"],
  metricsHead: ["Date", "Content-Length", "Vary"],
};

const compare = (c: Case, reply: Reply): void => {
  const golden = contract.replies[c.reply]!;
  assert.equal(reply.status, golden.status);
  assert.equal(reply.continued, golden.continued === true);
  const aside = headersAside[c.reply] ?? ["Date"];
  assert.deepEqual(dropHeaders(reply.headers, aside), dropHeaders(golden.headers, aside));
  if (golden.body !== "<metrics>") assert.equal(reply.body, golden.body);
  else if (!c.send.startsWith("HEAD")) assert.match(reply.body, /falcosecurity_falcosidekick_inputs_total/);
};

const compareDelivered = (c: Case, alert: Alert): void => {
  const { uuid: _, ...sent } = JSON.parse(rawEvent(alert)) as Record<string, unknown>;
  const wanted: Record<string, unknown> = { ...JSON.parse(base), ...c.delivered };
  for (const name of c.absent ?? []) delete wanted[name];
  if (Array.isArray(wanted.tags)) wanted.tags = wanted.tags.toSorted();
  assert.deepEqual(sent, wanted);
};

const settings: AlertSettings = {
  customfields: [],
  customtags: [],
  templatedfields: [],
  bracketreplacer: "",
  outputfieldformat: "",
  uuid: randomUUID,
  limits: alertLimits,
};

assert.equal(contract.cases.length, 130);
assert.equal(new Set(contract.cases.map((c) => c.name)).size, 130);

for (const c of contract.cases) {
  const differs = expected(c);
  test(`${c.name}: ${differs?.why ?? "as falcosidekick answers"}`, async (t) => {
    const delivered: Alert[] = [];
    const { port } = await start(
      t,
      {},
      {
        take: async (text) => {
          const { alerts, ...refusals } = decodeAlerts(text, settings);
          delivered.push(...alerts);
          return { accepted: alerts.length, ...refusals };
        },
      },
    );
    const reply = await request(port, ...bytesOf(c));
    if (!differs) compare(c, reply);
    else {
      assert.equal(reply.status, differs.status);
      differs.check?.(reply);
      if (!differs.check) assert.equal(reply.body, "");
    }
    assert.equal(delivered.length, differs?.deliveries ?? c.deliveries ?? 0);
    if (c.delivered) compareDelivered(c, delivered[0]!);
  });
}
