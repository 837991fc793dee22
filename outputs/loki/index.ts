import { type Alert, rawEvent } from "../../src/sdk/alert.ts";
import { renamed } from "../../src/sdk/distinct.ts";
import { failures } from "../../src/sdk/failures.ts";
import { isList, listText } from "../../src/sdk/field-text.ts";
import { type Config, oddValue, pairs, secret, text, url } from "../../src/sdk/fields.ts";
import { basicAuth, headerFaults, joinUrl, mergeHeaders, pathFaults, postJson } from "../../src/sdk/http.ts";
import { fitBytes, remember } from "../../src/sdk/message.ts";
import { defineHttpOutput } from "../../src/sdk/output.ts";
import { unixNano } from "../../src/sdk/rfc3339.ts";
import { wordsOf } from "../../src/sdk/words.ts";
import { refusedEntries, unopenedStream } from "./refusals.ts";

const fields = {
  hostport: url("URL of Loki."),
  endpoint: text("Path of the push API.", "/loki/api/v1/push"),
  user: text("User of basic authentication, with apikey as the password."),
  apikey: secret("Password of basic authentication."),
  tenant: text("Tenant, sent as X-Scope-OrgID."),
  format: text("Line of an entry: text (the alert's output) or json (the raw event).", "text"),
  extralabels: text("Output fields that become labels, comma separated.", "", { commas: true }),
  customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
};
type Settings = Config<typeof fields>;

export default defineHttpOutput({
  name: "loki",
  display: "Loki",
  category: "logs",
  about: "Grafana Loki: alerts grouped into streams by their labels.",
  fields,
  example: { hostport: "http://127.0.0.1:3100", tenant: "security", extralabels: "user.name" },
  ordered: "stream",
  // What Loki has of a request must not be behind the request's own newest entry, or it could not be sent once more.
  joins: (first, next) => Math.abs(Date.parse(next.time) - Date.parse(first.time)) <= longestSpanMs,
  batch: { items: 1000, bytes: 1_048_576 },
  enabled: (config) => config.hostport !== "",
  warn: ({ format }) => oddValue("format", format, ["text", "json"], "text is used"),
  check: ({ endpoint, customheaders }) => [
    ...pathFaults("endpoint", endpoint),
    ...headerFaults("customheaders", customheaders),
  ],
  request: (alerts, config) => {
    const streams = new Map<string, { stream: Record<string, string>; values: [string, string][] }>();
    for (const alert of alerts) {
      const found = labels(alert, config);
      const key = JSON.stringify(found);
      const line = fitBytes(config.format === "json" ? rawEvent(alert) : alert.output, longestLine);
      const entry: [string, string] = [unixNano(alert.time), line];
      const known = streams.get(key);
      if (known) known.values.push(entry);
      else streams.set(key, { stream: streamOf(found), values: [entry] });
    }
    for (const { values } of streams.values()) values.sort(([a], [b]) => Number(BigInt(a) - BigInt(b)));
    const { user, apikey, tenant } = config;
    return postJson(
      joinUrl(config.hostport, config.endpoint),
      { streams: [...streams.values()] },
      mergeHeaders(
        { "Content-Type": "application/json" },
        tenant ? { "X-Scope-OrgID": tenant } : {},
        user && apikey ? { Authorization: basicAuth(user, apikey) } : {},
        config.customheaders,
      ),
    );
  },
  refused: (reply, alerts, config) => {
    const entries = alerts.map((alert) => ({
      labels: streamOf(labels(alert, config)),
      ns: BigInt(unixNano(alert.time)),
    }));
    const limited = reply.status === 429 ? unopenedStream(reply.body, entries) : undefined;
    const found = limited ?? (reply.status === 400 ? refusedEntries(reply.body, entries) : undefined);
    if (!found) return;
    const { refused, elsewhere } = found;
    const said = wordsOf(reply.body);
    const reason = limited ? "rate_limited" : "client_error";
    const own = { reason, retryable: limited !== undefined, aside: limited !== undefined, said } as const;
    failures(
      [
        ...refused.map((index) => ({ index, ...own })),
        // Loki tells of one stream at a time: the others go once more, and what it has it takes for what it is.
        ...elsewhere.map((index) => ({ index, reason, retryable: true, said }) as const),
      ],
      () => `Loki refused ${refused.length} of ${alerts.length} entries`,
    );
  },
});

/** A quarter of what Loki takes behind a stream's newest entry when nothing else is configured. */
const longestSpanMs = 900_000;

/** Loki's default limits of a line and of a label's value, in bytes. */
const longestLine = 262_144;
const longestLabel = 2048;

const extras = remember((names: string) => names.replaceAll(" ", "").split(",").filter(Boolean));

type Label = readonly [name: string, value: string];

/** In one order for alerts of equal labels. */
const labels = (alert: Alert, config: Settings): readonly Label[] => {
  const { rule, source, priority, hostname, tags } = alert;
  const found: Label[] = [];
  for (const name of new Set(["k8s.ns.name", "k8s.pod.name", ...alert.added, ...extras(config.extralabels)])) {
    const value = alert.output_fields[name];
    const text = isList(value) && value.length > 0 ? listText(value, ",") : value;
    if (typeof text === "string") found.push([name, text.replaceAll('"', "")]);
  }
  const own: Label[] = [
    ["rule", rule],
    ["source", source],
    ["priority", priority],
    ...(hostname ? [["hostname", hostname] as const] : []),
    ...(tags.length > 0 ? [["tags", tags.join(",")] as const] : []),
  ];
  return [...own, ...renamed(found, labelName, ownLabels)].map(([name, value]) => [
    name,
    fitBytes(value, longestLabel),
  ]);
};

const ownLabels = ["rule", "source", "priority", "hostname", "tags"];

const streamOf = (found: readonly Label[]): Record<string, string> =>
  Object.fromEntries([...new Map(found)].toSorted(([a], [b]) => (a < b ? -1 : 1)));

const labelName = remember((name: string): string =>
  name
    .replaceAll(/[[\]]/g, "")
    .replaceAll(/[^A-Za-z0-9_]/g, "_")
    .replace(/^(?=[0-9])/, "_"),
);
