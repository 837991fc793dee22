import { webserverKeys } from "../../../sources/k8saudit/falco-webserver.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { flag, int, list, pairs, secret, text } from "../../../src/sdk/fields.ts";
import { defineHttpOutput, type Output } from "../../../src/sdk/output.ts";
import { defineSource } from "../../../src/sdk/source.ts";

const request = () => ({ url: "http://127.0.0.1/" });

/** Small outputs of each shape that the configuration must cope with. */
export const outputs: readonly Output[] = [
  defineHttpOutput({
    name: "webhook",
    category: "web",
    about: "Posts alerts.",
    fields: {
      address: secret("Where to."),
      method: text("How.", "POST"),
      customheaders: pairs("Headers.", { secret: true }),
      "batching.batchsize": int("Bytes.", 5, 1),
      useemoji: flag("Smile."),
      port: int("Port.", 80),
      targets: list("Names."),
    },
    example: { address: "http://127.0.0.1/" },
    enabled: (c) => c.address !== "",
    check: (c) => (c.method === "BREW" ? ["method: is for teapots"] : []),
    request,
  }),
  defineHttpOutput({
    name: "aws.sqs",
    category: "queue",
    about: "Sends messages.",
    fields: { url: text("Queue."), region: text("Region.") },
    example: { url: "http://127.0.0.1/" },
    concurrency: 3,
    enabled: (c) => c.url !== "",
    request,
  }),
  defineHttpOutput({
    name: "sumologic",
    category: "logs",
    about: "Keeps logs.",
    fields: { receiverurl: secret("Where to."), name: text("X-Sumo-Name.") },
    example: { receiverurl: "http://127.0.0.1/" },
    enabled: (c) => c.receiverurl !== "",
    request,
  }),
];

export const sources = [
  defineSource({
    name: "audit",
    about: "Listens for audit events.",
    fields: { listen: text("Address."), maxeventsize: int("Bytes.", 262_144) },
    example: { listen: "127.0.0.1:9765" },
    plugin: { name: "k8saudit", version: "0.18.0" },
    falco: webserverKeys,
    enabled: (c) => c.listen !== "",
    fromPlugin: (plugin) =>
      plugin.name === "k8saudit"
        ? { listen: plugin.openParams, ...(plugin.initConfig as Record<string, unknown>) }
        : undefined,
    open: async () => ({ close: async () => undefined }),
  }),
];

export interface Given {
  readonly yaml?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: readonly string[];
  /** Other files by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly outputs?: readonly Output[];
}

/** Loads a configuration whose file is `eyrie.yaml`; findings as text, `error …` or `warning …`. */
export const load = (given: Given) => {
  const files: Readonly<Record<string, string>> = {
    ...given.files,
    ...(given.yaml !== undefined && { "eyrie.yaml": given.yaml }),
  };
  const { config, problems } = loadConfig({
    file: given.yaml === undefined ? undefined : "eyrie.yaml",
    env: given.env ?? {},
    overrides: given.overrides ?? [],
    outputs: given.outputs ?? outputs,
    sources,
    read: (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return content;
    },
  });
  const said = problems.map((p) => `${p.severity} ${formatProblem(p)}`);
  return { config, said, output: (id: string) => config.outputs.find((o) => o.id === id) };
};
