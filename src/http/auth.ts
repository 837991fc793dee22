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
  /** The hub itself: what it sends is made to try its outputs. */
  readonly itself?: true;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

interface Known {
  readonly sender: Sender;
  readonly digest: Buffer;
}

const knownOf = (settings: AuthSettings): readonly Known[] => {
  const named = Object.entries(settings.tokens)
    .filter(([, token]) => token !== "")
    .map(([name, token]): Known => ({ sender: { token: name }, digest: digest(token) }));
  return settings.token === "" ? named : [...named, { sender: {}, digest: digest(settings.token) }];
};

/**
 * Checks an Authorization header; throws HttpError 401. Every token is compared, in constant time, so that the answer's
 * time tells nothing. Without configured tokens everybody is let in. `current` gives another object when they changed.
 */
export const createAuth = (current: () => AuthSettings): ((authorization: string | undefined) => Sender) => {
  let read: AuthSettings | undefined;
  let known: readonly Known[] = [];
  return (authorization) => {
    const settings = current();
    if (settings !== read) {
      known = knownOf(settings);
      read = settings;
    }
    if (known.length === 0) return {};
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
