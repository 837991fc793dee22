import type { Priority } from "../src/sdk/alert.ts";
import { renamed } from "../src/sdk/distinct.ts";
import { flag, oddValue, secret, text, url } from "../src/sdk/fields.ts";
import { joinUrl, postJson } from "../src/sdk/http.ts";
import { inHtml } from "../src/sdk/markup.ts";
import { everything, fit, fitFields, readable, textOnly } from "../src/sdk/message.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

const levels: Readonly<Record<Priority, string>> = {
  Emergency: "P1",
  Alert: "P1",
  Critical: "P2",
  Error: "P3",
  Warning: "P4",
  Notice: "P5",
  Informational: "P5",
  Debug: "P5",
};

const hosts: Readonly<Record<string, string>> = {
  eu: "https://api.eu.opsgenie.com",
  jsm: "https://api.atlassian.com/jsm/ops/integration",
};

const ownDetails = ["rule", "source", "priority", "hostname", "tags"];

/** Opsgenie takes 8000 characters of details; the alert's own five have theirs aside. */
const room = { count: 500, name: 200, value: 3000, total: 5000 };

export default defineHttpOutput({
  name: "opsgenie",
  display: "Opsgenie",
  category: "alerting",
  about: "Opsgenie, or its successor in Jira Service Management.",
  fields: {
    apikey: secret("API key of the integration."),
    region: text("us, eu, or jsm for Jira Service Management.", "us"),
    url: url("URL of the API in place of the region's own."),
    allfields: flag("Show numbers, booleans and lists of the alert too; false: text only, as falcosidekick.", true),
  },
  example: { apikey: "01234567-89ab-cdef", region: "eu" },
  enabled: (config) => config.apikey !== "",
  warn: ({ region, url }) =>
    url === "" ? oddValue("region", region.toLowerCase(), ["us", ...Object.keys(hosts)], "us is used") : [],
  request: ([alert], config) => {
    const { output, fields } = readable(alert, config.allfields ? everything : textOnly);
    const { rule, source, priority, hostname, tags } = alert;
    const own = Object.entries({ rule, source, priority, ...(hostname && { hostname }) })
      .concat(tags.length > 0 ? [["tags", tags.join(", ")]] : [])
      .map(([name, value]) => [name, fit(inHtml(value), 500)] as const);
    const names = renamed(fields.slice(0, room.count), (name) => name.replaceAll(".", "_"), ownDetails);
    const details = names.map(([name, value]) => [inHtml(name), inHtml(value)] as const);
    const text = inHtml(output);
    const message = fit(text, 130);
    const base = config.url || (hosts[config.region.toLowerCase()] ?? "https://api.opsgenie.com");
    const payload = {
      message,
      // One id however often it is sent: the alert is not created twice.
      alias: alert.uuid,
      entity: "Falcosidekick",
      description: fit(message === text ? inHtml(rule) : `${inHtml(rule)}\n${text}`, 15_000),
      details: Object.fromEntries([...fitFields(details, room), ...own]),
      priority: levels[priority],
    };
    return postJson(joinUrl(base, "/v2/alerts"), payload, { Authorization: `GenieKey ${config.apikey}` });
  },
});
