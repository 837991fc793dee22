import { rawEvent } from "../src/sdk/alert.ts";
import { kubeconfig, kubeconfigFaults, nameFaults, port } from "../src/sdk/cluster-service.ts";
import { text } from "../src/sdk/fields.ts";
import { jsonHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "openfaas",
  display: "OpenFaaS",
  category: "serverless",
  about: "OpenFaaS: one invocation per alert through the gateway, the raw event as its body.",
  fields: {
    functionname: text("Name of the function."),
    functionnamespace: text("Namespace of the function.", "openfaas-fn"),
    gatewayservice: text("Service of the gateway.", "gateway"),
    gatewaynamespace: text("Namespace of the gateway.", "openfaas"),
    gatewayport: port("Port of the gateway.", 8080),
    kubeconfig,
  },
  example: { functionname: "falco" },
  enabled: (config) => config.functionname !== "",
  check: ({ functionname, functionnamespace, gatewayservice, gatewaynamespace, ...config }) => [
    ...nameFaults({ functionname, functionnamespace, gatewayservice, gatewaynamespace }),
    ...kubeconfigFaults(config.kubeconfig),
  ],
  request: ([alert], config) => ({
    url: `http://${config.gatewayservice}.${config.gatewaynamespace}:${config.gatewayport}/function/${config.functionname}.${config.functionnamespace}`,
    headers: jsonHeaders,
    body: `${rawEvent(alert)}\n`,
  }),
});
