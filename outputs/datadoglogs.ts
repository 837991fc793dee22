import { rawEvent } from "../src/sdk/alert.ts";
import { secret, text, url } from "../src/sdk/fields.ts";
import { joinUrl, postJson } from "../src/sdk/http.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "datadoglogs",
  display: "DatadogLogs",
  category: "logs",
  about: "Datadog, as logs.",
  fields: {
    apikey: secret("API key."),
    host: url("URL of the log intake of your site.", { default: "https://http-intake.logs.datadoghq.com/" }),
    service: text("Name of the service that the logs are shown under."),
  },
  example: { apikey: "0123456789abcdef", host: "http://127.0.0.1:8080" },
  // A request holds 1000 logs and 5 MB at most; the text of an event gets longer when it stands in another.
  batch: { items: 500, bytes: 2_000_000 },
  enabled: (config) => config.apikey !== "",
  request: (alerts, config) => {
    const logs = alerts.map((alert) => log(alert, config.service));
    const payload = logs.length === 1 ? logs[0] : logs;
    return postJson(joinUrl(config.host, "/api/v2/logs"), payload, { "DD-API-KEY": config.apikey });
  },
});

const log = (alert: Alert, service: string) => ({
  ddsource: "falco",
  ...(alert.hostname && { hostname: alert.hostname }),
  ...(service && { service }),
  message: rawEvent(alert),
  ...(alert.tags.length > 0 && { ddtags: alert.tags.join(",") }),
});
