import { createHash, timingSafeEqual } from "node:crypto";
import { HttpError } from "./errors.ts";

export interface AuthSettings {
  /** Empty: none. */
  readonly token: string;
  /** Name of a sender → its token. */
  readonly tokens: Readonly<Record<string, string>>;
}

export interface Sender {
  /** Name of the token that the sender showed, when it has one. */
  readonly token?: string;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Checks an Authorization header; throws HttpError 401. Every token is compared, in constant time, so that the answer's
 * time tells nothing. Without configured tokens everybody is let in.
 */
export const createAuth = (settings: AuthSettings): ((authorization: string | undefined) => Sender) => {
  const known = Object.entries(settings.tokens)
    .filter(([, token]) => token !== "")
    .map(([name, token]) => ({ sender: { token: name } as Sender, digest: digest(token) }));
  if (settings.token !== "") known.push({ sender: {}, digest: digest(settings.token) });
  if (known.length === 0) return () => ({});
  return (authorization) => {
    const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    const hash = digest(shown ?? "");
    let found: Sender | undefined;
    for (const one of known) if (timingSafeEqual(one.digest, hash)) found ??= one.sender;
    if (found && shown !== undefined) return found;
    throw new HttpError(401, "unauthorized", "a valid bearer token is required", {
      "WWW-Authenticate": 'Bearer realm="eyrie"',
    });
  };
};
