import { DeliveryError } from "../../src/sdk/errors.ts";
import { flag, int, oddValue, pairs, secret, text, url } from "../../src/sdk/fields.ts";
import { headerFaults, mergeHeaders } from "../../src/sdk/http.ts";
import { defineHttpOutput } from "../../src/sdk/output.ts";
import { bytesField } from "../../src/sdk/protobuf.ts";
import { wordsOf } from "../../src/sdk/words.ts";
import { attribute, record } from "./record.ts";

export default defineHttpOutput({
  name: "otlp.logs",
  label: "otlplogs",
  display: "OTLPLogs",
  category: "logs",
  about: "OpenTelemetry's protocol over HTTP: alerts as log records, for a collector or any service that takes OTLP.",
  fields: {
    endpoint: url("Whole URL of the receiver, most often ending in /v1/logs."),
    protocol: text("http/protobuf; grpc is not available.", "http/protobuf"),
    timeout: int("Time for one attempt, in milliseconds.", 10_000, 1),
    headers: secret("Headers added to the request, `name=value` comma separated, values percent-encoded."),
    tls: flag("Without effect: the endpoint's scheme says it."),
    synced: text("Without effect: every record is sent before it counts."),
    extraenvvars: pairs("Without effect: variables of OpenTelemetry's own client."),
  },
  example: { endpoint: "http://127.0.0.1:4318/v1/logs" },
  batch: { items: 512, bytes: 1_000_000 },
  enabled: (config) => config.endpoint !== "",
  check: ({ protocol, headers }) => [
    ...(protocol.toLowerCase() === "grpc" ? ["protocol: grpc is not available: give the HTTP endpoint"] : []),
    ...headerFaults("headers", headersOf(headers)),
  ],
  warn: ({ protocol }) => oddValue("protocol", protocol, ["http/protobuf", "grpc"], "http/protobuf is used"),
  request: (alerts, config, { now }) => ({
    url: config.endpoint,
    headers: mergeHeaders(
      { "User-Agent": "Falcosidekick", "Content-Type": "application/x-protobuf" },
      headersOf(config.headers),
    ),
    body: bytesField(1, [
      bytesField(1, [attribute(1, "service.name", "falco"), attribute(1, "service.version", "v0.1.0")]),
      bytesField(2, [bytesField(1, [bytesField(1, "falco")]), ...alerts.map((alert) => record(alert, now))]),
      bytesField(3, "https://opentelemetry.io/schemas/1.23.1"),
    ]),
  }),
  accept: ({ body }) => {
    if (!tellsOfRejected(body)) return;
    const fault = { reason: "partial", retryable: false } as const;
    throw new DeliveryError("the receiver rejected records and does not say which", fault, wordsOf(body));
  },
});

const headersOf = (written: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    written.split(",").flatMap((item) => {
      const at = item.indexOf("=");
      return at < 1 ? [] : [[item.slice(0, at).trim(), decoded(item.slice(at + 1).trim())]];
    }),
  );

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

/**
 * Whether an ExportLogsServiceResponse has a count of rejected records: field 1 (tag 10), its length in one or two
 * bytes, then field 1 (tag 8) with a number that is not 0. The answer was read as UTF-8, which keeps these bytes apart.
 */
const tellsOfRejected = (body: string): boolean => {
  if (body.charCodeAt(0) !== 10) return false;
  const count = body.charCodeAt(1) < 128 ? 2 : 3;
  return body.charCodeAt(count) === 8 && body.length > count + 1 && body.charCodeAt(count + 1) !== 0;
};
