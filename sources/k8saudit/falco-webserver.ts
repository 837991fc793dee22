import { flag, int, text } from "../../src/sdk/fields.ts";
import type { FalcoKeys } from "../../src/sdk/source.ts";

const key = "webserver.k8s_audit_endpoint";

/**
 * Falco up to 0.31 heard audit events on its own web server: what its `webserver` asks for, as a k8saudit plugin would. A
 * file that names that plugin is of a later Falco, where the key has no meaning.
 */
export const webserverKeys: FalcoKeys = {
  fields: {
    "webserver.enabled": flag("Whether k8s_audit_endpoint is listened on.", true),
    [key]: text("Path of audit events (Falco up to 0.31): a listener of `k8saudit`."),
    "webserver.listen_port": int("Its port.", 8765, 0, 65_535),
    "webserver.listen_address": text("Its address; empty: every address."),
    "webserver.ssl_enabled": flag("Listen with TLS."),
    "webserver.ssl_certificate": text("PEM file with the key and the certificate.", "/etc/falco/falco.pem"),
    "webserver.k8s_healthz_endpoint": text("Without effect: `/healthz` is on the hub's port.", "/healthz"),
    "webserver.threadiness": int("Without effect.", 0),
  },
  read: ({ values, given, plugins }) => {
    const value = (name: string): string => String(values[`webserver.${name}`] ?? "");
    const endpoint = value("k8s_audit_endpoint");
    if (!given(key) || endpoint === "" || values["webserver.enabled"] === false) return undefined;
    if (plugins.some((name) => name.startsWith("k8saudit")))
      return { key, leftOut: "is left out: the k8saudit plugin is what hears audit events" };
    if (!endpoint.startsWith("/")) return { key, fault: "must begin with /" };
    const secure = values["webserver.ssl_enabled"] === true;
    const address = value("listen_address");
    const host = address.includes(":") ? `[${address}]` : address;
    return {
      key,
      plugin: {
        name: "k8saudit",
        libraryPath: "",
        initConfig: secure ? { sslCertificate: value("ssl_certificate") } : undefined,
        openParams: `${secure ? "https" : "http"}://${host}:${value("listen_port")}${endpoint}`,
      },
      keys: { listen: "webserver.listen_port", sslcertificate: "webserver.ssl_certificate" },
    };
  },
};
