import { existsSync } from "node:fs";
import { auditFields } from "../../src/audit/catalog.ts";
import { type Config, duration, flag, guardFile, int, text, token, tokens } from "../../src/sdk/fields.ts";
import { defineSource, type Plugin } from "../../src/sdk/source.ts";
import { webserverKeys } from "./falco-webserver.ts";
import { followFault, openFile } from "./file.ts";
import { readInitConfig } from "./init-config.ts";
import { defaultUrl, parseOpenParams } from "./open-params.ts";
import { readTls, type TlsFiles } from "./tls-files.ts";
import { openWebhook } from "./webhook.ts";

const fields = {
  listen: text(
    `Address that kube-apiserver's audit webhook sends to, such as ${defaultUrl}; https:// listens with TLS.`,
  ),
  file: text("File or folder of audit events as JSON lines, plain or gzip; - is standard input."),
  follow: flag("Go on reading as the file grows."),
  fromend: flag("Begin to follow at the end of the file."),
  cluster: text("Name of the cluster that the events come from (ka.cluster.name)."),
  sslcertificate: text("PEM file with the key and the certificate chain of https://.", "/etc/falco/falco.pem"),
  clientcafile: guardFile("PEM file of the authorities that must have signed client certificates."),
  bearertoken: token("Token that requests must carry."),
  bearertokens: tokens(
    "Further tokens by a name of your choice, so that one can be replaced while the other still works.",
  ),
  maxeventsize: int("Bytes of one event; a larger one is dropped alone.", 16_777_216, 1),
  maxbatchsize: int("Bytes of one request, after decompression; a larger one is answered with 413.", 67_108_864, 1),
  redeliverywindow: duration(
    "How long a body is remembered so that its redelivery is not taken twice; 0: never.",
    "10m",
  ),
};

/** Kubernetes audit events: a webhook for kube-apiserver, or files of JSON lines. Stands in for Falco's k8saudit plugin. */
const k8saudit = defineSource({
  name: "k8saudit",
  about: "Kubernetes audit events, from the API server's audit webhook or from files.",
  fields,
  example: { listen: defaultUrl },
  catalog: auditFields,
  plugin: {
    name: "k8saudit",
    version: "0.18.0",
    alike: { "k8saudit-aks": "0.6.0", "k8saudit-eks": "0.12.0", "k8saudit-gke": "0.9.0", "k8saudit-ovh": "0.6.0" },
  },
  falco: webserverKeys,
  enabled: ({ listen, file }) => listen !== "" || file !== "",
  check: (config) => {
    const { listen, file, follow } = config;
    const place = listen === "" ? undefined : parseOpenParams(listen);
    const unfit = listen === "" && follow ? followFault(file) : undefined;
    return [
      ...(unfit === undefined ? [] : [`file: ${unfit}`]),
      ...(listen === "" && !follow && file !== "-" && !existsSync(file) ? ["file: is not there"] : []),
      ...(listen !== "" && file !== "" ? ["listen: and file exclude each other; write two entries of a list"] : []),
      ...(place?.kind === "fault"
        ? [listen.startsWith(invalid) ? listen.slice(invalid.length) : `listen: ${place.message}`]
        : []),
      ...(place?.kind === "file" ? ["listen: must be a URL with http:// or https://"] : []),
      ...(place?.kind === "webhook" ? tlsFaults(config, place.tls) : []),
    ];
  },
  listens: (config) => {
    const place = parseOpenParams(config.listen);
    if (config.listen === "" || place.kind !== "webhook") return undefined;
    const { host, port, path } = place;
    const tokens = tokensOf(config).length;
    const traits = [
      ...(place.tls ? ["TLS"] : []),
      ...(place.tls && config.clientcafile ? ["client certificates"] : []),
      ...(tokens > 0 ? [`${tokens} bearer token${tokens === 1 ? "" : "s"}`] : []),
    ];
    return { key: "listen", host, port, path, traits };
  },
  reads: ({ listen, file }) => (listen === "" && file !== "" ? [file] : []),
  following: (file, { maxEventBytes }) => ({ file, follow: true, maxeventsize: maxEventBytes }),
  fromPlugin,
  pluginKeys: {
    listen: "open_params",
    file: "open_params",
    sslcertificate: "init_config.sslCertificate",
    maxeventsize: "init_config.maxEventSize",
    maxbatchsize: "init_config.webhookMaxBatchSize",
  },
  open: async (config, host) => {
    const place = parseOpenParams(config.listen === "" ? config.file : config.listen);
    const limits = { maxEventBytes: config.maxeventsize, ...(config.cluster && { cluster: config.cluster }) };
    if (config.listen === "" || place.kind !== "webhook") {
      const { file: path, follow, fromend: fromEnd } = config;
      return openFile({ path, follow, fromEnd, pollMs: 250, ...limits }, host, process.stdin);
    }
    const tls = place.tls ? readTls(config) : undefined;
    const settings = {
      place,
      tokens: tokensOf(config),
      cluster: config.cluster,
      maxEventBytes: config.maxeventsize,
      maxBatchBytes: config.maxbatchsize,
      redeliveryWindowMs: config.redeliverywindow,
      answerMs: 25_000,
      ...(tls && { tls }),
    };
    return openWebhook(settings, host, (use) => {
      const secrets = host.followSecrets((values) => use.tokens(tokensOf({ ...config, ...values })));
      const pem = [config.sslcertificate, config.clientcafile].filter((file) => file !== "");
      const files = host.follow(tls ? pem : [], "the listener's certificate", () => use.tls(readTls(config)));
      return () => {
        secrets.close();
        files.close();
      };
    });
  },
});

const tokensOf = ({ bearertoken, bearertokens }: Pick<Config<typeof fields>, "bearertoken" | "bearertokens">) =>
  [bearertoken, ...Object.values(bearertokens)].filter((token) => token !== "");

const tlsFaults = (config: TlsFiles, tls: boolean): readonly string[] => {
  if (!tls) return config.clientcafile === "" ? [] : ["clientcafile: only https:// asks clients for a certificate"];
  try {
    readTls(config);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
};

/** Begins a `listen` that stands for a fault in the plugin's configuration: `check` refuses it with the words behind. */
const invalid = "invalid: ";

function fromPlugin({ name, initConfig, openParams }: Plugin): Readonly<Record<string, unknown>> | undefined {
  if (name !== "k8saudit") return undefined;
  const init = readInitConfig(initConfig === "" ? {} : initConfig);
  if ("fault" in init) return { listen: invalid + init.fault };
  const maxBatch = init.webhookMaxBatchSize ?? init.maxEventBytes;
  const common = {
    ...(init.sslCertificate !== undefined && { sslcertificate: init.sslCertificate }),
    ...(init.maxEventSize !== undefined && { maxeventsize: init.maxEventSize }),
    ...(maxBatch !== undefined && { maxbatchsize: maxBatch }),
  };
  if (typeof openParams === "object" && openParams !== null) return { ...common, ...openParams };
  const wanted = openParams === undefined || openParams === null ? defaultUrl : String(openParams);
  const place = parseOpenParams(wanted);
  if (place.kind === "file")
    return { ...common, file: place.path, ...(place.follow && { follow: true, fromend: true }) };
  return { ...common, listen: place.kind === "fault" ? invalid + place.message : wanted };
}

export default k8saudit;
