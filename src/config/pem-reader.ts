import { X509Certificate } from "node:crypto";
import type { Place } from "./problem.ts";
import { errorCode, type Reader } from "./settings.ts";

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
/** Reads one file, whatever key names it. */
export type ReadPem = ReturnType<typeof pemReader>;

const shippedCa = "/etc/certs/client/ca.crt";

const holdsCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
};
