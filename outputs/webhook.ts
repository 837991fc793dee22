import { rawEvent } from "../src/sdk/alert.ts";
import { pairs, text, url } from "../src/sdk/fields.ts";
import { headerFaults, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "webhook",
  display: "Webhook",
  category: "web",
  about: "Any HTTP endpoint: one request per alert, its raw JSON as the body.",
  fields: {
    address: url("URL that alerts are sent to.", { secret: true }),
    method: text("Method of the request, POST or PUT.", "POST"),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
  },
  example: { address: "http://127.0.0.1:8080/alerts", customheaders: { "X-Team": "security" } },
  enabled: (config) => config.address !== "",
  check: (config) => headerFaults("customheaders", config.customheaders),
  request: ([alert], config) => ({
    url: config.address,
    method: config.method.toUpperCase() === "PUT" ? "PUT" : "POST",
    headers: mergeHeaders(jsonHeaders, config.customheaders),
    body: rawEvent(alert) + "\n",
  }),
});
