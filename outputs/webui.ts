import { goJson, rawEvent } from "../src/sdk/alert.ts";
import { url } from "../src/sdk/fields.ts";
import { jsonHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "webui",
  display: "WebUI",
  category: "web",
  about: "The web interface falcosidekick-ui, which lists and searches alerts.",
  fields: { url: url("URL of falcosidekick-ui.") },
  example: { url: "http://127.0.0.1:2802" },
  enabled: (config) => config.url !== "",
  request: ([alert], config, { hub }) => ({
    url: config.url,
    headers: jsonHeaders,
    body: `{"event":${rawEvent(alert)},"outputs":${goJson(hub.outputs)}}\n`,
  }),
});
