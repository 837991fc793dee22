import { rawEvent } from "../src/sdk/alert.ts";
import { text, url } from "../src/sdk/fields.ts";
import { headerFaults, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "sumologic",
  display: "SumoLogic",
  category: "logs",
  about: "Sumo Logic, through an HTTP source.",
  fields: {
    receiverurl: url("URL of the HTTP source; whoever has it can send.", { secret: true }),
    sourcecategory: text("Source category in place of the source's own."),
    sourcehost: text("Source host in place of the source's own."),
    name: text("Source name in place of the source's own."),
  },
  example: { receiverurl: "http://127.0.0.1:8080/receiver/v1/http/XXXX", sourcecategory: "security/falco" },
  // Sumo Logic asks for requests of 1 MB at most; each line is a message.
  batch: { items: 500, bytes: 900_000 },
  enabled: (config) => config.receiverurl !== "",
  check: ({ sourcecategory, sourcehost, name }) => [
    ...headerFaults("sourcecategory", { "X-Sumo-Category": sourcecategory }),
    ...headerFaults("sourcehost", { "X-Sumo-Host": sourcehost }),
    ...headerFaults("name", { "X-Sumo-Name": name }),
  ],
  request: (alerts, { receiverurl, sourcecategory, sourcehost, name }) => ({
    url: receiverurl,
    headers: mergeHeaders(jsonHeaders, {
      ...(sourcecategory && { "X-Sumo-Category": sourcecategory }),
      ...(sourcehost && { "X-Sumo-Host": sourcehost }),
      ...(name && { "X-Sumo-Name": name }),
    }),
    body: alerts.map((alert) => `${rawEvent(alert)}\n`).join(""),
  }),
});
