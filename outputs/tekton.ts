import { rawEvent } from "../src/sdk/alert.ts";
import { url } from "../src/sdk/fields.ts";
import { jsonHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "tekton",
  display: "Tekton",
  category: "serverless",
  about: "Tekton, through an EventListener of its Triggers.",
  fields: { eventlistener: url("URL of the EventListener.") },
  example: { eventlistener: "http://127.0.0.1:8080" },
  enabled: (config) => config.eventlistener !== "",
  request: ([alert], { eventlistener }) => ({
    url: eventlistener,
    headers: jsonHeaders,
    body: `${rawEvent(alert)}\n`,
  }),
});
