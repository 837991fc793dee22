import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";
import { createAuth } from "./auth.ts";
import { HttpError } from "./errors.ts";

/**
 * Who may use the operators' API (decisions/operators-api.md): who shows `auth.token`; where none is set, who connects
 * from the machine itself. Throws HttpError 401 or 403.
 */
export const createOperatorGuard = (token: string): ((req: IncomingMessage) => void) => {
  if (token !== "") {
    const authorize = createAuth({ token, tokens: {} });
    return (req) => void authorize(req.headers.authorization);
  }
  return (req) => {
    if (isLoopback(req.socket.remoteAddress) && !isForwarded(req) && isLoopbackName(authorityOf(req))) return;
    throw new HttpError(403, "unauthorized", "only clients on this machine are answered; set auth.token for others");
  };
};

const isLoopback = (address: string | undefined): boolean => {
  const plain = address?.replace(/^::ffff:/i, "") ?? "";
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
};

/** A proxy on this machine speaks for somebody who may be anywhere. */
const isForwarded = (req: IncomingMessage): boolean =>
  ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => req.headers[name] !== undefined);

/** HTTP/2 has `:authority` in place of Host. */
const authorityOf = (req: IncomingMessage): string => req.headers.host ?? String(req.headers[":authority"] ?? "");

/** A web page of elsewhere whose name was made to lead here keeps its name. */
const isLoopbackName = (authority: string): boolean => {
  const name = authority.replace(/:\d*$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || isLoopback(name);
};
