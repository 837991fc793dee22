import { blockOf } from "./block.ts";
import type { GlobalSettings } from "./hub.ts";
import type { ReadPem } from "./pem-reader.ts";
import { errorCode, type Reader } from "./settings.ts";
import type { KubernetesSettings } from "./types.ts";

/** The API server that `metadata.kubernetes` asks for; undefined: it is off, or a fault was told. */
export const kubernetesOf = (
  globals: GlobalSettings,
  readPem: ReadPem,
  reader: Reader,
): KubernetesSettings | undefined => {
  const { kubernetes, apiserver, tokenfile, apicacertfile } = blockOf(globals.values, "metadata");
  if (!kubernetes) return undefined;
  const url = apiserver === "" ? inCluster(reader) : apiserver;
  if (url === undefined) {
    const why = "the hub runs in no cluster (KUBERNETES_SERVICE_HOST is not set): set metadata.apiserver";
    reader.problems.error("metadata.kubernetes", why, globals.places.get("metadata.kubernetes"));
    return undefined;
  }
  if (url.startsWith("http:")) {
    // What `kubectl proxy` offers; a token would be read by everybody on the way.
    for (const key of ["metadata.tokenfile", "metadata.apicacertfile"] as const)
      if (globals.places.has(key) && globals.values[key] !== "")
        reader.problems.error(key, "metadata.apiserver is without TLS", globals.places.get(key));
    return { url };
  }
  if (tokenfile !== "") checkToken(tokenfile, globals, reader);
  if (apicacertfile !== "")
    readPem(apicacertfile, "metadata.apicacertfile", globals.places.get("metadata.apicacertfile"));
  return {
    url,
    ...(tokenfile !== "" && { tokenFile: tokenfile }),
    ...(apicacertfile !== "" && { caFile: apicacertfile }),
  };
};

/** As Kubernetes tells every container. */
const inCluster = ({ env }: Reader): string | undefined => {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (!host) return undefined;
  return `https://${host.includes(":") ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT || 443}`;
};

const checkToken = (file: string, globals: GlobalSettings, reader: Reader): void => {
  const at = globals.places.get("metadata.tokenfile");
  try {
    if (!/^[\x21-\x7e]+$/.test(reader.read(file).trim()))
      reader.problems.error("metadata.tokenfile", `holds no token: ${file}`, at);
  } catch (error) {
    reader.problems.error("metadata.tokenfile", `the file cannot be read (${errorCode(error)}): ${file}`, at);
  }
};
