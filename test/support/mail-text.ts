/** What a mail's source says to a reader. */
export interface ReadMail {
  /** Unfolded, encoded words decoded, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string | undefined;
}

const decoders: Readonly<Record<string, (raw: string) => string>> = {
  base64: (raw) => Buffer.from(raw, "base64").toString(),
  "quoted-printable": (raw) => fromHex(raw.replaceAll("=\r\n", ""), "="),
};

const fromHex = (text: string, mark: string): string =>
  Buffer.from(
    text.replaceAll(new RegExp(`${mark}([0-9A-Fa-f]{2})`, "g"), (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    "latin1",
  ).toString();

/** Words side by side may share a character: their bytes are joined first. */
const decodeWords = (value: string): string =>
  value.replaceAll(/=\?utf-8\?[qb]\?[^?]*\?=(?:\s+=\?utf-8\?[qb]\?[^?]*\?=)*/gi, (run) =>
    Buffer.concat(
      [...run.matchAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi)].map(([, kind = "", text = ""]) =>
        kind.toLowerCase() === "b"
          ? Buffer.from(text, "base64")
          : Buffer.from(fromHex(text.replaceAll("_", " "), "="), "utf8"),
      ),
    ).toString(),
  );

const headersOf = (head: string): Record<string, string> =>
  Object.fromEntries(
    head
      .replaceAll(/\r\n[ \t]+/g, " ")
      .split("\r\n")
      .map((line) => {
        const at = line.indexOf(":");
        return [line.slice(0, at).toLowerCase(), decodeWords(line.slice(at + 1).trim())];
      }),
  );

const split = (source: string): readonly [head: string, body: string] => {
  const at = source.indexOf("\r\n\r\n");
  return [source.slice(0, at), source.slice(at + 4)];
};

export const readMail = (source: string): ReadMail => {
  const [head, body] = split(source);
  const headers = headersOf(head);
  const boundary = /boundary="?([^";]+)/.exec(headers["content-type"] ?? "")?.[1];
  const parts = boundary === undefined ? [source] : body.split(`--${boundary}`);
  const part = (type: string): string | undefined => {
    for (const text of parts) {
      const [partHead, content] = split(text.replace(/^\r\n/, ""));
      const own = headersOf(partHead);
      if (own["content-type"]?.startsWith(type))
        return (decoders[own["content-transfer-encoding"] ?? ""] ?? String)(content).replaceAll("\r\n", "\n").trimEnd();
    }
    return undefined;
  };
  return { headers, text: part("text/plain") ?? "", html: part("text/html") };
};
