import { rawEvent } from "../src/sdk/alert.ts";
import { kubeconfig, kubeconfigFaults, nameFaults, port } from "../src/sdk/cluster-service.ts";
import { deliveryId } from "../src/sdk/delivery-id.ts";
import { text } from "../src/sdk/fields.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "kubeless",
  display: "Kubeless",
  category: "serverless",
  about: "Kubeless: one call per alert to the function's service, the raw event as its body.",
  fields: {
    function: text("Name of the function."),
    namespace: text("Namespace of the function."),
    port: port("Port of the function's service.", 8080),
    kubeconfig,
  },
  example: { function: "falco", namespace: "security" },
  enabled: (config) => config.function !== "",
  check: ({ function: name, namespace, ...config }) => [
    ...nameFaults({ function: name, namespace }),
    ...kubeconfigFaults(config.kubeconfig),
  ],
  request: ([alert], config) => ({
    url: `http://${config.function}.${config.namespace}.svc.cluster.local:${config.port}/`,
    headers: {
      "User-Agent": "Falcosidekick",
      "Content-Type": "application/json",
      "Event-Id": deliveryId(alert),
      "Event-Namespace": config.namespace,
      "Event-Type": "falco",
    },
    body: `${rawEvent(alert)}\n`,
  }),
});
