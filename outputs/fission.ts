import { rawEvent } from "../src/sdk/alert.ts";
import { kubeconfig, kubeconfigFaults, nameFaults, port } from "../src/sdk/cluster-service.ts";
import { deliveryId } from "../src/sdk/delivery-id.ts";
import { text } from "../src/sdk/fields.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

export default defineHttpOutput({
  name: "fission",
  label: "Fission",
  display: "Fission",
  category: "serverless",
  about: "Fission: one call per alert through the router, the raw event as its body.",
  fields: {
    function: text("Name of the function."),
    routerservice: text("Service of the router.", "router"),
    routernamespace: text("Namespace of the router.", "fission"),
    routerport: port("Port of the router.", 80),
    kubeconfig,
  },
  example: { function: "falco" },
  enabled: (config) => config.function !== "",
  check: ({ function: name, routerservice, routernamespace, ...config }) => [
    ...nameFaults({ function: name, routerservice, routernamespace }),
    ...kubeconfigFaults(config.kubeconfig),
  ],
  request: ([alert], config) => ({
    url: `http://${config.routerservice}.${config.routernamespace}.svc.cluster.local:${config.routerport}/fission-function/${config.function}`,
    headers: { "User-Agent": "Falcosidekick", "Content-Type": "application/json", "Event-Id": deliveryId(alert) },
    body: `${rawEvent(alert)}\n`,
  }),
});
