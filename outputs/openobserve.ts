import { rawEvent } from "../src/sdk/alert.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { pairs, secret, text, url } from "../src/sdk/fields.ts";
import { basicAuth, headerFaults, joinUrl, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";
import { membersOf } from "../src/sdk/reply.ts";
import { wordsOf } from "../src/sdk/words.ts";

export default defineHttpOutput({
  name: "openobserve",
  display: "OpenObserve",
  category: "logs",
  about: "OpenObserve, one record per alert.",
  fields: {
    hostport: url("URL of OpenObserve."),
    organizationname: text("Organization.", "default"),
    streamname: text("Stream that the records go to.", "falco"),
    username: text("User of basic authentication."),
    password: secret("Password of basic authentication."),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
  },
  example: { hostport: "http://127.0.0.1:5080", username: "falco@example.org", password: "changeme" },
  batch: { items: 500, bytes: 1_000_000 },
  enabled: (config) => config.hostport !== "",
  check: (config) => headerFaults("customheaders", config.customheaders),
  warn: ({ username, password }) =>
    (username === "") === (password === "") ? [] : ["username: is sent only together with password"],
  request: (alerts, { hostport, organizationname, streamname, username, password, customheaders }) => ({
    url: joinUrl(hostport, `/api/${encodeURIComponent(organizationname)}/${encodeURIComponent(streamname)}/_multi`),
    headers: mergeHeaders(
      jsonHeaders,
      username && password ? { Authorization: basicAuth(username, password) } : {},
      customheaders,
    ),
    body: alerts.map((alert) => `${rawEvent(alert)}\n`).join(""),
  }),
  // It counts the records that it did not store and does not say which they are.
  accept: (reply) => {
    const { status } = membersOf(reply);
    if (!Array.isArray(status)) return;
    const failed: { error?: unknown }[] = status.filter((stream) => Number(stream?.failed) > 0);
    if (failed.length === 0) return;
    const fault = { reason: "invalid", retryable: false } as const;
    throw new DeliveryError("records were not stored", fault, wordsOf(String(failed[0]?.error ?? "")));
  },
});
