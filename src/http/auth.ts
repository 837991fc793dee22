import { bearerCheck, type KnownToken } from "../sdk/bearer.ts";
import { HttpError } from "./errors.ts";

/** Bearer tokens of one of the hub's doors. */
export interface AuthSettings {
  /** Empty: none. */
  readonly token: string;
  /** Name of a sender → its token. */
  readonly tokens: Readonly<Record<string, string>>;
}

export interface Caller {
  /** Name of the token that the sender showed, when it has one. */
  readonly token?: string;
  /** The hub itself: what it sends is made to try its outputs. */
  readonly itself?: true;
}

const knownOf = ({ token, tokens }: AuthSettings): readonly KnownToken<Caller>[] => [
  ...Object.entries(tokens).map(([name, one]) => ({ token: one, holder: { token: name } })),
  { token, holder: {} },
];

/** Checks an Authorization header; throws HttpError 401. `current` gives another object when its tokens changed. */
export const createAuth = (current: () => AuthSettings): ((authorization: string | undefined) => Caller) => {
  const check = bearerCheck(current, (settings) => knownOf(settings).filter(({ token }) => token !== ""), {});
  return (authorization) => {
    const sender = check(authorization);
    if (sender !== undefined) return sender;
    throw new HttpError(401, "unauthorized", "a valid bearer token is required", {
      "WWW-Authenticate": 'Bearer realm="eyrie"',
    });
  };
};
