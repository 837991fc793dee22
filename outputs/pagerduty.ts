import { goJson, type Priority } from "../src/sdk/alert.ts";
import { secret, text } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { leftToRight } from "../src/sdk/markup.ts";
import { everything, fit, fitFields, readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";

const severities: Partial<Record<Priority, string>> = {
  Emergency: "critical",
  Alert: "critical",
  Critical: "critical",
  Error: "error",
  Warning: "warning",
};

const hosts: Readonly<Record<string, string>> = {
  us: "https://events.pagerduty.com",
  eu: "https://events.eu.pagerduty.com",
};

export default defineHttpOutput({
  name: "pagerduty",
  display: "Pagerduty",
  category: "alerting",
  about: "PagerDuty, through the Events API v2.",
  fields: {
    routingkey: secret("Integration key of the service."),
    region: text("Region of the account, us or eu.", "us"),
  },
  example: { routingkey: "0123456789abcdef0123456789abcdef", region: "eu" },
  enabled: (config) => config.routingkey !== "",
  warn: ({ region }) => (region === "" || hostOf(region) ? [] : ["region: is neither us nor eu: us is used"]),
  request: ([alert], { routingkey, region }) => {
    const event = {
      routing_key: routingkey,
      event_action: "trigger",
      // One key however often it is sent: the alert is not opened twice.
      dedup_key: alert.uuid,
      payload: {
        summary: fit(leftToRight(readable(alert).output || alert.rule), 1024),
        source: "falco",
        severity: severities[alert.priority] ?? "info",
        timestamp: alert.time.replace(/\.\d+/, ""),
        custom_details: details(alert),
      },
    };
    return postJson(`${hostOf(region) ?? hosts.us}/v2/enqueue`, event, { "Content-Type": "application/json" });
  },
});

const hostOf = (region: string) => hosts[region.toLowerCase()];

/** PagerDuty takes 512 KB a request: beyond, the first fields as text. */
const largest = 400_000;
const room = { count: 500, name: 300, value: 600, total: 60_000 };

const details = (alert: Alert): Readonly<Record<string, unknown>> => {
  const { rule, priority, source, hostname, tags } = alert;
  const { fields } = readable(alert);
  const own = {
    rule: fit(rule, 1024),
    priority,
    source: fit(source, 1024),
    ...(hostname && { hostname: fit(hostname, 1024) }),
    ...(tags.length > 0 && { tags: fit(tags.join(", "), 3000) }),
  };
  const all = { ...alert.output_fields, ...Object.fromEntries(fields), ...own };
  if (Buffer.byteLength(goJson(all)) <= largest) return all;
  return { ...Object.fromEntries(fitFields(readable(alert, everything).fields, room)), ...own };
};
