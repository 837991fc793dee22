import { rawEvent } from "../src/sdk/alert.ts";
import { url } from "../src/sdk/fields.ts";
import { jsonHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "talon",
  display: "Talon",
  category: "other",
  about: "Falco Talon, which acts on alerts in the cluster.",
  fields: { address: url("URL of Falco Talon.") },
  example: { address: "http://127.0.0.1:2803" },
  enabled: (config) => config.address !== "",
  request: ([alert], { address }) => ({ url: address, headers: jsonHeaders, body: `${rawEvent(alert)}\n` }),
});
