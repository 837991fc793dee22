/** One block of a PEM file, with its lines. */
const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * Key and certificates of one PEM file in any order, text between them ignored. Throws where one is missing; the message
 * holds nothing of the file.
 */
export const pemParts = (text: string): { readonly cert: string; readonly key: string } => {
  const blocks = Array.from(text.replaceAll("\r\n", "\n").matchAll(block), ([whole, label]) => ({ whole, label }));
  const cert = blocks.filter(({ label }) => label === "CERTIFICATE");
  const key = blocks.find(({ label }) => label?.endsWith("PRIVATE KEY"));
  if (blocks.length === 0) throw new Error("sslcertificate: the file holds no PEM data");
  if (cert.length === 0) throw new Error("sslcertificate: the file holds no certificate");
  if (!key) throw new Error("sslcertificate: the file holds no private key");
  return { cert: cert.map(({ whole }) => whole).join("\n"), key: key.whole };
};
