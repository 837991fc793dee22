/** Who a certificate signing request (PKCS #10) asks to be, as Kubernetes reads its subject. */
export interface RequestedIdentity {
  /** The common name. */
  readonly user: string | undefined;
  /** The organizations. */
  readonly groups: readonly string[];
}

/** A value of DER: its tag and where its content lies, end exclusive. */
interface Tlv {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const sequence = 0x30;
const bmpString = 0x1e;
const commonName = "550403";
const organization = "55040a";
const pem = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]*)-----END/;

/** `encoded` is base64 of PEM, as `spec.request` holds it. Undefined: it is no certificate signing request. */
export const requestedIdentity = (encoded: string): RequestedIdentity | undefined => {
  const text = Buffer.from(encoded, "base64").toString("latin1");
  const body = pem.exec(text)?.[1];
  if (body === undefined) return undefined;
  const der = Buffer.from(body, "base64");
  const [request] = valuesIn(der, 0, der.length);
  const [info] = request?.tag === sequence ? valuesIn(der, request.start, request.end) : [];
  const [, subject] = info?.tag === sequence ? valuesIn(der, info.start, info.end) : [];
  if (subject?.tag !== sequence) return undefined;
  const attributes = valuesIn(der, subject.start, subject.end)
    .flatMap((set) => valuesIn(der, set.start, set.end))
    .map((pair) => valuesIn(der, pair.start, pair.end));
  const named = (oid: string): readonly string[] =>
    attributes.flatMap(([type, value]) =>
      type && value && der.toString("hex", type.start, type.end) === oid ? [textOf(der, value)] : [],
    );
  // Of several common names Go keeps the last.
  return { user: named(commonName).at(-1), groups: named(organization) };
};

const textOf = (der: Buffer, { tag, start, end }: Tlv): string => {
  const bytes = der.subarray(start, end);
  return tag === bmpString && bytes.length % 2 === 0
    ? Buffer.from(bytes).swap16().toString("utf16le")
    : bytes.toString();
};

/** The values after each other between two offsets; ends where it is no DER. */
const valuesIn = (der: Buffer, from: number, to: number): readonly Tlv[] => {
  const found: Tlv[] = [];
  let at = from;
  while (at + 2 <= to) {
    const tag = der[at] as number;
    let length = der[at + 1] as number;
    let start = at + 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4 || start + size > to) break;
      length = der.readUIntBE(start, size);
      start += size;
    }
    if (start + length > to) break;
    found.push({ tag, start, end: start + length });
    at = start + length;
  }
  return found;
};
