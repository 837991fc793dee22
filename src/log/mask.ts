export const masked = "***";

/** Shorter texts are no secrets: masking them would only garble the log. */
const shortest = 4;

/**
 * A function that replaces every occurrence of the secrets in the string values of one JSON line. Found too: a secret
 * written percent-encoded or in base64, and the part of a URL after its host, which is what errors tend to quote.
 */
export const createMask = (secrets: readonly string[]): ((line: string) => string) => {
  const spellings = spellingsOfAll(secrets);
  if (spellings.length === 0) return (line) => line;
  const plain = alternatives(spellings);
  // As JSON writes it, so that a line without secrets is only searched, never parsed.
  const escaped = alternatives(spellings.map((text) => JSON.stringify(text).slice(1, -1)));
  return (line) => {
    if (line.search(escaped) < 0) return line;
    const end = line.endsWith("\n") ? "\n" : "";
    return JSON.stringify(JSON.parse(line), (key, value: unknown) =>
      typeof value === "string" && key !== "level" ? value.replace(plain, masked) : value,
    ).concat(end);
  };
};

/** The same for any text, in which runs of blanks may have become one. */
export const createTextMask = (secrets: readonly string[]): ((text: string) => string) => {
  const spellings = spellingsOfAll(secrets.flatMap((secret) => [secret, secret.replaceAll(/\s+/g, " ")]));
  if (spellings.length === 0) return (text) => text;
  const plain = alternatives(spellings);
  return (text) => text.replace(plain, masked);
};

/** Longest first, so that a part does not hide the whole. */
const spellingsOfAll = (secrets: readonly string[]): readonly string[] =>
  [...new Set(secrets.flatMap(spellingsOf))]
    .filter((text) => text.length >= shortest)
    .sort((a, b) => b.length - a.length);

const spellingsOf = (secret: string): string[] => {
  const found = [secret, encodeURIComponent(secret.toWellFormed()), Buffer.from(secret).toString("base64")];
  if (!URL.canParse(secret)) return found;
  const url = new URL(secret);
  const path = url.pathname + url.search;
  found.push(url.href, url.password, decodeSafely(url.password), ...url.searchParams.values());
  if (path.length >= 8) found.push(path);
  // Without its slash a short path is a word (`discord`) that stands for other things, too.
  if (path.length >= 16) found.push(path.slice(1));
  return found;
};

const decodeSafely = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
};

const alternatives = (texts: readonly string[]): RegExp => new RegExp(texts.map(RegExp.escape).join("|"), "g");
