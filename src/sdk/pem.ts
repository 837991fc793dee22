import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

/** What a PEM file must hold. */
export type PemPart = "certificate" | "key";

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

const blocksOf = (text: string, part: PemPart): readonly string[] => {
  const label = part === "key" ? /PRIVATE KEY$/ : /^(?:X509 |TRUSTED )?CERTIFICATE$/;
  return Array.from(text.matchAll(block)).flatMap(([whole, name]) => (label.test(name ?? "") ? [whole] : []));
};

/** What is wrong with a PEM file that must hold such a part; undefined: nothing. Says nothing of its content. */
export const pemFault = (text: string, part: PemPart): string | undefined => {
  const what = part === "key" ? "private key" : "certificate";
  const blocks = blocksOf(text, part);
  if (blocks.length === 0) return text.includes("-----BEGIN ") ? `holds no ${what}` : "is not a PEM file";
  if (part === "key" && blocks.some((one) => one.includes("ENCRYPTED"))) return "holds a key that is encrypted";
  try {
    for (const one of blocks) part === "key" ? createPrivateKey(one) : new X509Certificate(one);
    return undefined;
  } catch {
    return `holds a ${what} that cannot be read`;
  }
};

/** Whether TLS takes the parts together: undefined, or why not. */
export const pairFault = (parts: { cert?: string; key?: string; ca?: string }): string | undefined => {
  try {
    createSecureContext(parts);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    return code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH"
      ? "the key is not that of the certificate"
      : `the certificate files do not fit TLS (${code})`;
  }
};
