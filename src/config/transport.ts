import { X509Certificate } from "node:crypto";
import { pairFault, pemFault } from "../sdk/pem.ts";
import { type Place, placeOf } from "./problem.ts";
import { errorCode, type Reader, type Settings } from "./settings.ts";
import type { ServerTls, TransportSettings } from "./types.ts";

/**
 * Reads PEM files, each once. A file that cannot be read, or is none, is an error with the place of its key; `lenient`:
 * only its option is off, and the answer is undefined.
 */
export const pemReader = (reader: Reader) => {
  const results = new Map<string, { readonly text: string } | { readonly fault: string; readonly absent: boolean }>();
  const told = new Set<string>();
  const load = (path: string) => {
    try {
      const text = reader.read(path);
      if (!text.includes("-----BEGIN ")) return { fault: `not a PEM file: ${path}`, absent: false };
      // TLS is silent about what it cannot use of a CA.
      const empty = text.includes("-----BEGIN CERTIFICATE-----") && !holdsCertificate(text);
      return empty ? { fault: `holds no certificate that can be read: ${path}`, absent: false } : { text };
    } catch (error) {
      const code = errorCode(error);
      return { fault: `the file cannot be read (${code}): ${path}`, absent: code === "ENOENT" };
    }
  };
  return (path: string, key: string, at: Place | undefined, lenient = false): string | undefined => {
    const result = results.get(path) ?? load(path);
    results.set(path, result);
    if ("text" in result) return result.text;
    // The path that falcosidekick's chart and example file name whether or not there is a CA.
    if (lenient && result.absent && path === shippedCa) return undefined;
    const kind = `${lenient}:${path}`;
    if (!told.has(kind)) {
      if (lenient) reader.problems.off(undefined, key, `${result.fault}; it is left out`, at);
      else reader.problems.error(key, result.fault, at);
    }
    told.add(kind);
    return undefined;
  };
};
type ReadPem = ReturnType<typeof pemReader>;

const shippedCa = "/etc/certs/client/ca.crt";

const holdsCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
};

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
  instance: Settings,
  globals: Settings,
  label: string,
  readPem: ReadPem,
  reader: Reader,
): TransportSettings => {
  const own = (key: string): string => String(instance.values[key] ?? "");
  const shared = (key: string): string => String(globals.values[key] ?? "");
  const mutualtls = instance.values.mutualtls === true;
  const checkcert = instance.values.checkcert !== false;
  const pick = (ownKey: string, sharedKey: string, standard: string): string | undefined => {
    if (own(ownKey) !== "") return readPem(own(ownKey), label + ownKey, instance.places.get(ownKey), true);
    if (!mutualtls) return undefined;
    if (shared(sharedKey) !== "") return readPem(shared(sharedKey), sharedKey, globals.places.get(sharedKey), true);
    const at = globals.places.get("mutualtlsfilespath") ?? instance.places.get("mutualtls");
    return readPem(`${shared("mutualtlsfilespath")}/${standard}`, `${label}mutualtls`, at, true);
  };
  const pair = [
    pick("certfile", "mutualtlsclient.certfile", "client.crt"),
    pick("keyfile", "mutualtlsclient.keyfile", "client.key"),
  ] as const;
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
  if (wrong) leave(own(wrong.part) === "" ? "mutualtls" : wrong.part, wrong.fault);
  if (!mutualtls && (own("certfile") === "") !== (own("keyfile") === ""))
    leave(own("certfile") === "" ? "certfile" : "keyfile", "is missing");
  const [cert, key] = first !== undefined && second !== undefined && !wrong ? pair : [];
  const ca = joined([pick("cacertfile", "mutualtlsclient.cacertfile", "ca.crt"), extraCa(globals, readPem)]);
  return {
    checkcert,
    mutualtls,
    rejectUnauthorized: mutualtls || checkcert,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(own("certfile") && { certfile: own("certfile") }),
    ...(own("keyfile") && { keyfile: own("keyfile") }),
    ...(own("cacertfile") && { cacertfile: own("cacertfile") }),
  };
};

const extraCa = (globals: Settings, readPem: ReadPem): string | undefined => {
  const path = String(globals.values["tlsclient.cacertfile"] ?? "");
  return path === ""
    ? undefined
    : readPem(path, "tlsclient.cacertfile", globals.places.get("tlsclient.cacertfile"), true);
};

/** CA of connections that no instance owns. */
export const globalCa = (globals: Settings, readPem: ReadPem): string | undefined => extraCa(globals, readPem);

const plainPaths = ["/", "/ping", "/healthz", "/test", "/metrics"];

export const serverTls = (globals: Settings, readPem: ReadPem, reader: Reader): ServerTls => {
  const value = (key: string) => globals.values[`tlsserver.${key}`];
  const places = (key: string) => globals.places.get(`tlsserver.${key}`);
  const load = (key: string): string | undefined =>
    readPem(String(value(key)), `tlsserver.${key}`, placeOf(`tlsserver.${key}`, places(key), places("deploy")));
  const deploy = value("deploy") === true;
  const mutualtls = value("mutualtls") === true;
  const notlspaths = value("notlspaths") as readonly string[];
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
  return {
    deploy,
    mutualtls,
    notlspaths,
    certfile: String(value("certfile")),
    keyfile: String(value("keyfile")),
    cacertfile: String(value("cacertfile")),
    notlsport: Number(value("notlsport")),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(ca && { ca }),
  };
};
