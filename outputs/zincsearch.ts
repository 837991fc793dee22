import { rawEvent } from "../src/sdk/alert.ts";
import { deliveryId } from "../src/sdk/delivery-id.ts";
import { secret, text, url } from "../src/sdk/fields.ts";
import { basicAuth, joinUrl, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "zincsearch",
  display: "Zincsearch",
  category: "logs",
  about: "ZincSearch, one document per alert.",
  fields: {
    hostport: url("URL of ZincSearch."),
    index: text("Index that the documents go to.", "falco"),
    username: text("User of basic authentication."),
    password: secret("Password of basic authentication."),
  },
  example: { hostport: "http://127.0.0.1:4080", username: "falco", password: "changeme" },
  batch: { items: 500, bytes: 1_000_000 },
  enabled: (config) => config.hostport !== "",
  warn: ({ username, password }) =>
    (username === "") === (password === "") ? [] : ["username: is sent only together with password"],
  request: (alerts, { hostport, index, username, password }) => ({
    url: joinUrl(hostport, `/api/${encodeURIComponent(index)}/_multi`),
    headers: mergeHeaders(jsonHeaders, username && password ? { Authorization: basicAuth(username, password) } : {}),
    // Under one id however often it is sent, a document is one.
    body: alerts.map((alert) => `{"_id":"${deliveryId(alert)}",${rawEvent(alert).slice(1)}\n`).join(""),
  }),
});
