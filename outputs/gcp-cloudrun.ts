import { rawEvent } from "../src/sdk/alert.ts";
import { secret, url } from "../src/sdk/fields.ts";
import { headerFaults, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "gcp.cloudrun",
  label: "gcpcloudrun",
  display: "GCPCloudRun",
  category: "serverless",
  about: "Google Cloud Run: one request per alert to a service or function, the raw event as its body.",
  fields: {
    endpoint: url("URL of the service or function."),
    jwt: secret("Identity token of Google's, sent as the bearer token; none: the service takes anybody's requests."),
  },
  example: { endpoint: "http://127.0.0.1:8080/", jwt: "header.claims.signature" },
  enabled: (config) => config.endpoint !== "",
  check: (config) => headerFaults("jwt", authorization(config.jwt)),
  request: ([alert], { endpoint, jwt }) => ({
    url: endpoint,
    headers: mergeHeaders(jsonHeaders, authorization(jwt)),
    body: `${rawEvent(alert)}\n`,
  }),
});

const authorization = (jwt: string): Readonly<Record<string, string>> =>
  jwt ? { Authorization: `Bearer ${jwt}` } : {};
