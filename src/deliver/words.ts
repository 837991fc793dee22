import { STATUS_CODES } from "node:http";
import type { HttpReply, HttpRequest } from "../sdk/http.ts";
import { wordsOf } from "../sdk/words.ts";

/**
 * What a destination says about a request that it refused: without what the request itself said (the address's path and
 * query, credentials, texts of alerts), which servers like to repeat.
 */
export const ownWords = (reply: HttpReply, request: HttpRequest): string => {
  let words = wordsOf(reply.body);
  if (words.length < fewest || words === STATUS_CODES[reply.status]) return "";
  for (const secret of sentSecrets(request)) words = words.replaceAll(secret, "***");
  const body = typeof request.body === "string" ? request.body : "";
  if (words.length >= longestEcho && body.includes(words)) return "";
  return words === "***" ? "" : withoutQuotes(words, body);
};

/** Shorter answers (`ok`, `no`) tell nothing that the status does not. */
const fewest = 4;
/** From this length on a text that the request holds too is taken for a repetition. */
const longestEcho = 40;

/** Long quotations of the request become `'...'`. */
const withoutQuotes = (words: string, body: string): string =>
  words.replaceAll(/'([^']{40,})'|"([^"]{40,})"/g, (quoted, single?: string, double?: string) =>
    body.includes(single ?? double ?? "") ? "'...'" : quoted,
  );

const telling = /auth|cookie|key|pass|secret|sign|token/i;
/** Other parts of an address are words (`write`, `falco`) that an answer may need. */
const isKey = (part: string): boolean => part.length >= 10 && /[\dA-Z]/.test(part);

/** What only the sender of a request knows, beside the secrets of the configuration: credentials, and keys within the address. */
const sentSecrets = ({ url, headers = {} }: HttpRequest): readonly string[] => {
  const found: string[] = [];
  for (const [name, value] of Object.entries(headers))
    if (telling.test(name)) found.push(value, value.slice(value.indexOf(" ") + 1));
  const address = URL.parse(url);
  if (address) {
    const { pathname, search, username, password, searchParams } = address;
    const parts = [pathname + search, ...pathname.split("/"), ...searchParams.values()];
    found.push(url, password, username, basicOf(username, password), ...parts.filter(isKey));
  }
  return found.filter((text) => text.length >= fewest).sort((a, b) => b.length - a.length);
};

/** What a client makes of the credentials of an address. */
const basicOf = (username: string, password: string): string =>
  username + password === "" ? "" : Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64");

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
