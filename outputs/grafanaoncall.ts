import { pairs, url } from "../src/sdk/fields.ts";
import { headerFaults, mergeHeaders, postJson } from "../src/sdk/http.ts";
import { inHtml } from "../src/sdk/markup.ts";
import { readable } from "../src/sdk/message.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "grafanaoncall",
  display: "GrafanaOnCall",
  category: "alerting",
  about: "Grafana OnCall, through a formatted webhook.",
  fields: {
    webhookurl: url("URL of the integration.", { secret: true }),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
  },
  example: { webhookurl: "http://127.0.0.1:8080/oncall/integrations/v1/formatted_webhook/XXXX/" },
  enabled: (config) => config.webhookurl !== "",
  check: (config) => headerFaults("customheaders", config.customheaders),
  request: ([alert], config) => {
    const { output } = readable(alert);
    const page = {
      // However often it is sent, it is one alert.
      alert_uid: alert.uuid,
      state: "alerting",
      title: inHtml(`[${alert.priority}] ${alert.rule}`.toWellFormed()),
      message: inHtml(output),
    };
    const headers = mergeHeaders({ "Content-Type": "application/json" }, config.customheaders);
    return postJson(config.webhookurl, page, headers);
  },
});
