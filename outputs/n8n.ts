import { rawEvent } from "../src/sdk/alert.ts";
import { secret, text, url } from "../src/sdk/fields.ts";
import { basicAuth, headerFaults, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "n8n",
  display: "n8n",
  category: "web",
  about: "A workflow of n8n, through its Webhook node.",
  fields: {
    address: url("Production URL of the Webhook node.", { secret: true }),
    user: text("User of the node's Basic Auth credential."),
    password: secret("Password of that credential."),
    headerauthname: text("Name of the node's Header Auth credential."),
    headerauthvalue: secret("Value of that credential."),
  },
  example: { address: "http://127.0.0.1:5678/webhook/XXXX", headerauthname: "X-Auth", headerauthvalue: "XXXX" },
  enabled: (config) => config.address !== "",
  check: ({ headerauthname, headerauthvalue }) =>
    headerauthname ? headerFaults("headerauthname", { [headerauthname]: headerauthvalue }) : [],
  request: ([alert], { address, user, password, headerauthname, headerauthvalue }) => ({
    url: address,
    headers: mergeHeaders(
      jsonHeaders,
      user && password ? { Authorization: basicAuth(user, password) } : {},
      headerauthname && headerauthvalue ? { [headerauthname]: headerauthvalue } : {},
    ),
    body: `${rawEvent(alert)}\n`,
  }),
});
