import { pairFault, pemFault } from "../sdk/pem.ts";
import { blockOf } from "./block.ts";
import type { DeliveryFields } from "./delivery-fields.ts";
import type { GlobalSettings } from "./hub.ts";
import type { ReadPem } from "./pem-reader.ts";
import { placeOf } from "./problem.ts";
import type { Reader, Settings } from "./settings.ts";
import type { ServerTls, TransportSettings } from "./types.ts";

/** Keys that name a file, each in `tlsserver`, `mutualtlsclient` and an output. */
type FileKey = "certfile" | "keyfile" | "cacertfile";

/** What TLS would refuse of a certificate and its key, and whose fault it is. */
const faultOf = (
  cert: string,
  key: string,
  ca?: string,
): { readonly part: "certfile" | "keyfile"; readonly fault: string } | undefined => {
  const [ofCert, ofKey] = [pemFault(cert, "certificate"), pemFault(key, "key")];
  if (ofCert) return { part: "certfile", fault: ofCert };
  if (ofKey) return { part: "keyfile", fault: ofKey };
  const fault = pairFault({ cert, key, ...(ca && { ca }) });
  return fault === undefined ? undefined : { part: "certfile", fault };
};

/** CAs of one's own, one after the other; delivery joins them to the usual roots. */
const joined = (own: readonly (string | undefined)[]): string | undefined =>
  own.filter((text) => text !== undefined).join("\n") || undefined;

/**
 * The TLS side of one instance: its own files before the global ones, as `mutualtlsclient` before `mutualtlsfilespath`. Files
 * that are missing or do not fit are left out, as falcosidekick does: the server is verified all the same.
 */
export const transportOf = (
  instance: Settings<DeliveryFields>,
  globals: GlobalSettings,
  label: string,
  readPem: ReadPem,
  reader: Reader,
): TransportSettings => {
  const { values: own } = instance;
  const { values: shared } = globals;
  const { mutualtls, checkcert } = own;
  const pick = (key: FileKey, name: string): string | undefined => {
    if (own[key] !== "") return readPem(own[key], label + key, instance.places.get(key), true);
    if (!mutualtls) return undefined;
    const sharedKey = `mutualtlsclient.${key}` as const;
    if (shared[sharedKey] !== "") return readPem(shared[sharedKey], sharedKey, globals.places.get(sharedKey), true);
    const at = globals.places.get("mutualtlsfilespath") ?? instance.places.get("mutualtls");
    return readPem(`${shared.mutualtlsfilespath}/${name}`, `${label}mutualtls`, at, true);
  };
  const pair = [pick("certfile", "client.crt"), pick("keyfile", "client.key")] as const;
  const [first, second] = pair;
  const wrong = first !== undefined && second !== undefined ? faultOf(first, second) : undefined;
  const leave = (key: string, message: string): void =>
    reader.problems.off(
      undefined,
      label + key,
      `${message}; no client certificate is shown`,
      placeOf(
        label + key,
        instance.places.get(key),
        instance.places.get("mutualtls") ?? instance.places.get("certfile"),
      ),
    );
  if (wrong) leave(own[wrong.part] === "" ? "mutualtls" : wrong.part, wrong.fault);
  if (!mutualtls && (own.certfile === "") !== (own.keyfile === ""))
    leave(own.certfile === "" ? "certfile" : "keyfile", "is missing");
  const [cert, key] = first !== undefined && second !== undefined && !wrong ? pair : [];
  const ca = joined([pick("cacertfile", "ca.crt"), extraCa(globals, readPem)]);
  return {
    checkcert,
    mutualtls,
    rejectUnauthorized: mutualtls || checkcert,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(own.certfile && { certfile: own.certfile }),
    ...(own.keyfile && { keyfile: own.keyfile }),
    ...(own.cacertfile && { cacertfile: own.cacertfile }),
  };
};

const extraCa = (globals: GlobalSettings, readPem: ReadPem): string | undefined => {
  const path = globals.values["tlsclient.cacertfile"];
  return path === ""
    ? undefined
    : readPem(path, "tlsclient.cacertfile", globals.places.get("tlsclient.cacertfile"), true);
};

const plainPaths = ["/", "/ping", "/healthz", "/test", "/metrics"];

export const serverTls = (globals: GlobalSettings, readPem: ReadPem, reader: Reader): ServerTls => {
  const server = blockOf(globals.values, "tlsserver");
  const { deploy, mutualtls, notlspaths } = server;
  const places = (key: keyof typeof server) => globals.places.get(`tlsserver.${key}`);
  const load = (key: FileKey): string | undefined =>
    readPem(server[key], `tlsserver.${key}`, placeOf(`tlsserver.${key}`, places(key), places("deploy")));
  const cert = deploy ? load("certfile") : undefined;
  const key = deploy ? load("keyfile") : undefined;
  const ca = deploy && mutualtls ? load("cacertfile") : undefined;
  const wrong = cert && key ? faultOf(cert, key, ca) : undefined;
  if (wrong) reader.problems.error(`tlsserver.${wrong.part}`, wrong.fault, places(wrong.part));
  if (ca?.includes("-----BEGIN ") && !ca.includes("-----BEGIN CERTIFICATE-----"))
    reader.problems.error("tlsserver.cacertfile", "the file holds no certificate", places("cacertfile"));
  if (mutualtls && !deploy)
    reader.problems.error(
      "tlsserver.mutualtls",
      "asks nobody for a certificate without tlsserver.deploy",
      places("mutualtls"),
    );
  if (places("cacertfile") && deploy && !mutualtls)
    reader.problems.warn(
      "tlsserver.cacertfile",
      "is not used: without tlsserver.mutualtls nobody is asked for a certificate",
      places("cacertfile"),
    );
  for (const path of deploy ? notlspaths : [])
    if (!plainPaths.includes(path))
      reader.problems.warn(
        "tlsserver.notlspaths",
        `unknown path '${path}'`,
        globals.places.get("tlsserver.notlspaths"),
      );
  return { ...server, ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
};
