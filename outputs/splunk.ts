import { goJson, rawEvent } from "../src/sdk/alert.ts";
import { flag, pairs, secret, url } from "../src/sdk/fields.ts";
import { headerFaults, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { parseTime } from "../src/sdk/rfc3339.ts";

export default defineHttpOutput({
  name: "splunk",
  display: "Splunk",
  category: "logs",
  about: "Splunk, through the HTTP Event Collector.",
  fields: {
    host: url("Whole URL of the collector, most often ending in /services/collector/event."),
    token: secret("Token of the collector."),
    alerttime: flag("Give Splunk the alert's time and hostname; else it notes when and through what the alert came."),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
  },
  example: { host: "http://127.0.0.1:8088/services/collector/event", token: "01234567-89ab-cdef" },
  batch: { items: 500, bytes: 800_000 },
  enabled: (config) => config.host !== "",
  check: (config) => headerFaults("customheaders", config.customheaders),
  request: (alerts, { host, token, alerttime, customheaders }) => ({
    url: host,
    headers: mergeHeaders(jsonHeaders, token ? { Authorization: `Splunk ${token}` } : {}, customheaders),
    body: alerts.map((alert) => event(alert, alerttime)).join(""),
  }),
});

/** One event; those of a batch follow one another. Splunk's time is in seconds, from the epoch on. */
const event = (alert: Alert, timed: boolean): string => {
  const host = alert.hostname ? `,"host":${goJson(alert.hostname)}` : "";
  const { seconds = 0, nanos = 0 } = parseTime(alert.time) ?? {};
  const time = seconds < 0 ? "0" : `${seconds}.${String(nanos).padStart(9, "0")}`;
  return `{"event":${rawEvent(alert)},"sourcetype":"falcosidekick"${timed ? `,"time":${time}${host}` : ""}}\n`;
};
