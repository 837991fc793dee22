import { rawEvent } from "../src/sdk/alert.ts";
import { pairs, secret, text, url } from "../src/sdk/fields.ts";
import { basicAuth, headerFaults, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "nodered",
  display: "NodeRED",
  category: "web",
  about: "Node-RED, through a flow's http in node.",
  fields: {
    address: url("URL of the http in node.", { secret: true }),
    user: text("User of Node-RED's httpNodeAuth."),
    password: secret("Password of that user."),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
  },
  example: { address: "http://127.0.0.1:1880/falco" },
  enabled: (config) => config.address !== "",
  check: (config) => headerFaults("customheaders", config.customheaders),
  request: ([alert], { address, user, password, customheaders }) => ({
    url: address,
    headers: mergeHeaders(
      jsonHeaders,
      user && password ? { Authorization: basicAuth(user, password) } : {},
      customheaders,
    ),
    body: `${rawEvent(alert)}\n`,
  }),
});
