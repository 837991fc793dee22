import { createHash, timingSafeEqual } from "node:crypto";

/** A token that opens a door, and what its holder is known as. */
export interface KnownToken<H> {
  /** Not empty. */
  readonly token: string;
  readonly holder: H;
}

/**
 * Who shows a bearer token in an Authorization header (RFC 6750; the scheme in any case); undefined: nobody who is known. Every token
 * is compared, in constant time, so that the time says nothing. `current` gives another object when the tokens changed;
 * without any token everybody is let in, as `anybody`.
 */
export const bearerCheck = <S, H>(
  current: () => S,
  tokensOf: (settings: S) => readonly KnownToken<H>[],
  anybody: H,
): ((authorization: string | undefined) => H | undefined) => {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const read = (settings: S) => ({
    settings,
    known: tokensOf(settings).map(({ token, holder }) => ({ holder, digest: digest(token) })),
  });
  let { settings, known } = read(current());
  return (authorization) => {
    const next = current();
    if (next !== settings) ({ settings, known } = read(next));
    if (known.length === 0) return anybody;
    const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    const hash = digest(shown ?? "");
    let found: H | undefined;
    for (const one of known) if (timingSafeEqual(one.digest, hash)) found ??= one.holder;
    return shown === undefined ? undefined : found;
  };
};
