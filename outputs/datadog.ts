import type { Priority } from "../src/sdk/alert.ts";
import { isList, listText } from "../src/sdk/field-text.ts";
import { flag, secret, url } from "../src/sdk/fields.ts";
import { joinUrl, postJson } from "../src/sdk/http.ts";
import { inDatadog } from "../src/sdk/markup.ts";
import { fit, readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";

const alertTypes: Partial<Record<Priority, string>> = {
  Emergency: "error",
  Alert: "error",
  Critical: "error",
  Error: "error",
  Warning: "warning",
};

export default defineHttpOutput({
  name: "datadog",
  display: "Datadog",
  category: "alerting",
  about: "Datadog, as an event.",
  fields: {
    apikey: secret("API key."),
    host: url("URL of the API.", { default: "https://api.datadoghq.com" }),
    allfields: flag("Make tags of numbers and booleans too, not only of text and lists."),
  },
  example: { apikey: "0123456789abcdef", host: "http://127.0.0.1:8080" },
  enabled: (config) => config.apikey !== "",
  request: ([alert], config) => {
    const { output, fields } = readable(alert, { scalars: config.allfields });
    const tags = [
      ...fields.map(([name, value]) => `${name}:${value}`),
      ...listTags(alert),
      `source:${alert.source}`,
      "source:falco",
      ...(alert.hostname ? [`hostname:${alert.hostname}`] : []),
      ...alert.tags,
    ];
    const event = {
      title: fit(inDatadog(alert.rule), 500),
      ...(output && { text: fit(inDatadog(output), 4000) }),
      alert_type: alertTypes[alert.priority] ?? "info",
      source_type_name: "falco",
      tags: tags.map((tag) => fit(tag, 200)),
    };
    return postJson(joinUrl(config.host, "/api/v1/events"), event, { "DD-API-KEY": config.apikey });
  },
});

/** One tag an item: a key of Datadog's may have several values. */
const listTags = (alert: Alert): readonly string[] =>
  Object.entries(alert.output_fields).flatMap(([name, value]) =>
    isList(value) ? value.slice(0, mostItems).map((item) => `${name}:${listText([item])}`) : [],
  );
const mostItems = 50;
