import { renamed } from "../src/sdk/distinct.ts";
import { type Config, oddValue, secret, text, url } from "../src/sdk/fields.ts";
import { joinUrl, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { fitBytes, readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";

const fields = {
  hostport: url("URL of InfluxDB."),
  database: text("Database of InfluxDB 1.", "falco"),
  organization: text("Organization of InfluxDB 2; its write API is used when this is set."),
  bucket: text("Bucket of InfluxDB 2.", "falco"),
  precision: text("Precision of timestamps.", "ns"),
  user: text("User of InfluxDB 1, when there is no token."),
  password: secret("Password of InfluxDB 1."),
  token: secret("Token of InfluxDB 2."),
};

export default defineHttpOutput({
  name: "influxdb",
  display: "Influxdb",
  category: "metrics",
  about: "InfluxDB 1 and 2, one point per alert.",
  fields,
  example: { hostport: "http://127.0.0.1:8086", organization: "security", bucket: "falco", token: "changeme" },
  enabled: (config) => config.hostport !== "",
  warn: ({ precision }) => oddValue("precision", precision, precisions, "InfluxDB will refuse it"),
  request: ([alert], config) => ({
    url: joinUrl(config.hostport, target(config)),
    headers: mergeHeaders(
      jsonHeaders,
      { Accept: "application/json" },
      config.token ? { Authorization: `Token ${config.token}` } : {},
    ),
    body: point(alert),
  }),
});

/** Of InfluxDB 1 and 2. */
const precisions = ["ns", "n", "us", "u", "ms", "s", "m", "h"];

const target = ({
  organization,
  bucket,
  database,
  user,
  password,
  token,
  precision,
}: Config<typeof fields>): string => {
  const query = Object.entries({
    ...(organization ? { org: organization, bucket } : { db: database }),
    ...(user && password && !token && { u: user, p: password }),
    ...(precision && { precision }),
  });
  const path = organization ? "/api/v2/write" : "/write";
  return `${path}?${query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
};

/** One line of the line protocol. Without timestamp, and alone: points of equal tags and time replace one another. */
const point = (alert: Alert): string => {
  const { rule, priority, source, hostname = "", tags } = alert;
  const { output, fields } = readable(alert, { lists: true });
  const own = { rule, priority, source, hostname, tags: tags.join("_") };
  const all = [...Object.entries(own), ...renamed(fields, tagText, reserved)];
  const written = all.flatMap(([name, value]) =>
    name === "" || value === "" ? [] : [`${name}=${tagText(fitBytes(value, longestTag))}`],
  );
  const text = fitBytes(output, longestText).replaceAll(/["\\]/g, "\\$&");
  return `events,${written.join(",")} value="${text}"`;
};

/** A point has no two tags of one name, and none called time. */
const reserved = new Set(["time", "rule", "priority", "source", "hostname", "tags"]);

/** InfluxDB's limits: 64 KB for a tag, and for the text of a field. */
const longestTag = 32_768;
const longestText = 65_536;

const tagText = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[ \r\n]/g, "_")
    .replaceAll(/[,=]/g, "\\$&")
    .replace(/\\$/, "\\_");
