import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type PemPart, pairFault, pemFault } from "../sdk/pem.ts";
import { auditPolicy } from "./audit-policy.ts";
import { type Command, UsageError } from "./command.ts";

const policyFile = "audit-policy.yaml";
const webhookFile = "audit-webhook.yaml";

const help = `Usage: eyrie audit-config --url https://HOST:9765/k8s-audit [--ca FILE] [flags]

Writes ${policyFile} (what the API server audits) and ${webhookFile} (where it sends it, a kubeconfig).

  --url URL            the webhook as the API server reaches it, http:// or https://
  --ca FILE            PEM of the authority that signed Eyrie's certificate; needed for https:// unless the node trusts it
  --token-file FILE    bearer token that Eyrie asks for (bearertoken)
  --client-cert FILE   PEM of the certificate that the API server shows (clientcafile), with --client-key FILE
  --out DIR            where to write, default the current folder
  --print              write both to standard output instead\n`;

/** `eyrie audit-config`: the two files that connect a cluster. Exit code 1 when something is missing. */
export const auditConfig: Command = async (args, io) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: "string" },
      ca: { type: "string" },
      "token-file": { type: "string" },
      "client-cert": { type: "string" },
      "client-key": { type: "string" },
      out: { type: "string", default: "." },
      print: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    io.stdout.write(help);
    return 0;
  }
  if (values.url === undefined) throw new UsageError("audit-config needs --url");
  const url = URL.parse(values.url);
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError("--url must start with http:// or https://");
  const clientCert = values["client-cert"];
  const clientKey = values["client-key"];
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw new UsageError("--client-cert and --client-key belong together");
  if (url.port === "0") throw new UsageError("--url needs the port that Eyrie listens on");
  if (!/^https?:\/\/[^/]+\//i.test(values.url))
    throw new UsageError("--url needs the path that Eyrie listens at, such as /k8s-audit");
  const secure = url.protocol === "https:";
  if (!secure && (values.ca ?? clientCert) !== undefined)
    throw new UsageError("--ca and --client-cert need an https:// URL");

  const tokenFile = values["token-file"];
  const ca = values.ca === undefined ? undefined : pem(values.ca, "certificate");
  if (ca !== undefined) mustFit(ca, url.hostname);
  const client =
    clientCert === undefined || clientKey === undefined
      ? {}
      : { clientCert: pem(clientCert, "certificate"), clientKey: pem(clientKey, "key") };
  const unfit = client.clientCert && pairFault({ cert: client.clientCert, key: client.clientKey });
  if (unfit) throw new UsageError(`--client-cert and --client-key: ${unfit}`);
  const kubeconfig = webhookKubeconfig({
    url: values.url,
    ...(ca !== undefined && { ca }),
    ...(tokenFile !== undefined && { token: tokenOf(tokenFile) }),
    ...client,
  });
  if (values.print) {
    io.stdout.write(`# ${policyFile}\n${auditPolicy}---\n# ${webhookFile}\n${kubeconfig}`);
    return 0;
  }
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, policyFile), auditPolicy);
  // It may hold a token or a key.
  writeFileSync(join(values.out, webhookFile), kubeconfig, { mode: 0o600 });
  // One that was there keeps its rights.
  chmodSync(join(values.out, webhookFile), 0o600);
  io.stdout.write(nextSteps(values.out));
  if (secure && values.ca === undefined)
    io.stderr.write("eyrie: without --ca the node's own authorities must know Eyrie's certificate\n");
  return 0;
};

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`cannot read ${basename(file)}`);
  }
};

const pem = (file: string, part: PemPart): string => {
  const text = read(file);
  const fault = pemFault(text, part);
  if (fault) throw new UsageError(`${basename(file)} ${fault}`);
  return text;
};

const tokenOf = (file: string): string => {
  const token = read(file).trim();
  if (token === "" || /\s/.test(token)) throw new UsageError(`${basename(file)} holds no token`);
  return token;
};

/**
 * The API server checks the host's name against the certificate that Eyrie shows. What `--ca` holds is that very one, when
 * it may sign no other or bears names of hosts: then the name is looked for here.
 */
const mustFit = (ca: string, host: string): void => {
  // Of a bundle, any may be the one.
  if (ca.split("-----BEGIN ").length > 2) return;
  const certificate = new X509Certificate(ca);
  const bare = host.replace(/^\[|\]$/g, "");
  const named = certificate.subjectAltName !== undefined;
  if (certificate.ca && !named) return;
  const fits = isIP(bare) ? certificate.checkIP(bare) : named && certificate.checkHost(bare, { subject: "never" });
  if (fits) return;
  const names = certificate.subjectAltName ?? "no host";
  throw new UsageError(`--ca: the certificate is for ${names}, not for ${bare}: the API server would refuse it`);
};

export interface WebhookAccess {
  readonly url: string;
  /** PEM texts. */
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly token?: string;
}

const quoted = (text: string): string => JSON.stringify(text);
const data = (text: string): string => Buffer.from(text).toString("base64");

/** The kubeconfig of `--audit-webhook-config-file`, everything inline. */
export const webhookKubeconfig = (access: WebhookAccess): string => {
  const { url, ca, clientCert, clientKey, token } = access;
  const user = [
    ...(token === undefined ? [] : [`      token: ${quoted(token)}`]),
    ...(clientCert === undefined ? [] : [`      client-certificate-data: ${data(clientCert)}`]),
    ...(clientKey === undefined ? [] : [`      client-key-data: ${data(clientKey)}`]),
  ];
  return [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    "  - name: eyrie",
    "    cluster:",
    `      server: ${quoted(url)}`,
    ...(ca === undefined ? [] : [`      certificate-authority-data: ${data(ca)}`]),
    "users:",
    "  - name: kube-apiserver",
    ...(user.length === 0 ? ["    user: {}"] : ["    user:", ...user]),
    "contexts:",
    "  - name: audit",
    "    context:",
    "      cluster: eyrie",
    "      user: kube-apiserver",
    "current-context: audit",
    "",
  ].join("\n");
};

/** Flags of kube-apiserver; why each: docs/kubernetes-audit.md. */
export const apiserverFlags = [
  `--audit-policy-file=/etc/kubernetes/audit/${policyFile}`,
  `--audit-webhook-config-file=/etc/kubernetes/audit/${webhookFile}`,
  "--audit-webhook-batch-max-wait=2s",
  "--audit-webhook-batch-max-size=400",
  "--audit-webhook-batch-buffer-size=20000",
  "--audit-webhook-truncate-enabled=true",
  "--audit-webhook-truncate-max-event-size=16000000",
  "--audit-webhook-truncate-max-batch-size=48000000",
] as const;

const nextSteps = (folder: string): string => `Wrote ${join(folder, policyFile)} and ${join(folder, webhookFile)}.

Copy both to /etc/kubernetes/audit/ on every control plane node, mount that folder into the kube-apiserver pod
(read only), and add to its command:

${apiserverFlags.map((flag) => `  ${flag}`).join("\n")}
`;
