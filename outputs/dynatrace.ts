import type { Alert } from "../src/sdk/alert.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { secret, url } from "../src/sdk/fields.ts";
import { joinUrl, postJson } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";
import { membersOf } from "../src/sdk/reply.ts";
import { wordsOf } from "../src/sdk/words.ts";

export default defineHttpOutput({
  name: "dynatrace",
  display: "Dynatrace",
  category: "logs",
  about: "Dynatrace, as log records.",
  fields: {
    apitoken: secret("Access token with the scope logs.ingest."),
    apiurl: url("URL of the environment's API, ending in /api."),
  },
  example: { apitoken: "dt0c01.XXXX", apiurl: "http://127.0.0.1:8080/api" },
  // A request of 10 MB is taken; an alert's fields stand in it, and some once more as attributes.
  batch: { items: 500, bytes: 2_000_000 },
  enabled: (config) => config.apitoken !== "",
  check: ({ apiurl }) => (apiurl === "" ? ["apiurl: is missing"] : []),
  request: (alerts, { apitoken, apiurl }) =>
    postJson(joinUrl(apiurl, "/v2/logs/ingest"), alerts.map(record), { Authorization: `Api-Token ${apitoken}` }),
  // 204 is success; 200 says that some were not taken, and not which.
  accept: (reply) => {
    const { details } = membersOf(reply);
    if (reply.status !== 200 || typeof details !== "object") return;
    const fault = { reason: "invalid", retryable: false } as const;
    throw new DeliveryError("log records were not taken", fault, wordsOf(reply.body));
  },
});

const record = (alert: Alert) => {
  const { uuid, rule, priority, source, hostname, output, output_fields, tags } = alert;
  const technique = tags.find((tag) => /^T\d+/.test(tag));
  const tactic = tags.find((tag) => tag.startsWith("mitre_"));
  return {
    timestamp: alert.time.replace(/\.\d+/, ""),
    "event.id": uuid,
    "event.name": rule,
    "event.provider": "Falco",
    severity: priority,
    ...(hostname && { "host.name": hostname }),
    "log.source": source,
    content: { output, output_fields, ...(tags.length > 0 && { tags }) },
    ...(technique && { "mitre.technique": technique }),
    ...(tactic && { "mitre.tactic": tactic }),
    ...Object.fromEntries(
      attributes.flatMap(([name, fields]) => {
        const value = fields.map((field) => output_fields[field]).find((each) => typeof each === "string" && each);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  };
};

/** Dynatrace's names, and the fields that they are taken from. */
const attributes: readonly (readonly [string, readonly string[]])[] = [
  ["container.id", ["container.id"]],
  ["container.name", ["container.name"]],
  ["k8s.namespace.name", ["k8s.ns.name", "ka.target.namespace"]],
  ["k8s.pod.name", ["k8s.pod.name"]],
  ["process.executable.name", ["proc.name"]],
];
