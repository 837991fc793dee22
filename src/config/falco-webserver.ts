import { falcoBlocks } from "./falco-blocks.ts";
import { type Reader, readFields } from "./settings.ts";
import type { Tree } from "./tree.ts";
import type { PluginConfig } from "./types.ts";

const fields = Object.fromEntries(Object.entries(falcoBlocks).filter(([key]) => key.startsWith("webserver.")));

/**
 * Falco up to 0.31 heard audit events on its own web server: what its `webserver` asks for, as a k8saudit plugin would. A
 * file that names that plugin is of a later Falco, where the key has no meaning.
 */
export const auditEndpoint = (
  found: ReadonlyMap<string, Tree>,
  plugins: readonly PluginConfig[],
  reader: Reader,
): readonly PluginConfig[] => {
  const key = "webserver.k8s_audit_endpoint";
  const { at } = found.get(key) ?? {};
  if (!at) return [];
  const quiet = { ...reader, problems: { ...reader.problems, error: () => {}, warn: () => {} } };
  // Faults are told where the whole of falco.yaml's blocks is read.
  const { values } = readFields(fields, { label: "", inFile: (name) => found.get(name), envOver: () => [] }, quiet);
  const value = (name: string): string => String(values[`webserver.${name}`] ?? "");
  const endpoint = value("k8s_audit_endpoint");
  if (values["webserver.enabled"] === false || endpoint === "") return [];
  if (plugins.some(({ name }) => name.startsWith("k8saudit"))) {
    reader.problems.warn(key, "is left out: the k8saudit plugin is what hears audit events", at);
    return [];
  }
  if (!endpoint.startsWith("/")) {
    reader.problems.error(key, "must begin with /", at);
    return [];
  }
  const secure = values["webserver.ssl_enabled"] === true;
  const address = value("listen_address");
  const host = address.includes(":") ? `[${address}]` : address;
  const { file, line, column } = at;
  return [
    {
      name: "k8saudit",
      libraryPath: "",
      initConfig: secure ? { sslCertificate: value("ssl_certificate") } : undefined,
      openParams: `${secure ? "https" : "http"}://${host}:${value("listen_port")}${endpoint}`,
      from: {
        key,
        keys: { listen: "webserver.listen_port", sslcertificate: "webserver.ssl_certificate" },
        ...(file !== undefined && { file }),
        ...(line !== undefined && { line }),
        ...(column !== undefined && { column }),
      },
    },
  ];
};
