import type { IncomingMessage } from "node:http";
import { createAuth } from "./auth.ts";
import { HttpError } from "./errors.ts";

/**
 * Who may use the operators' API (decisions/operators-api.md): who shows its token; where none is set, who connects
 * from the machine itself; never a web page of elsewhere. Throws HttpError 401 or 403.
 */
export const createOperatorGuard = (token: () => string): ((req: IncomingMessage) => void) => {
  let settings = { token: token(), tokens: {} };
  const authorize = createAuth(() => {
    if (token() !== settings.token) settings = { token: token(), tokens: {} };
    return settings;
  });
  return (req) => {
    refuseOtherSites(req);
    if (token() !== "") return void authorize(req.headers.authorization);
    if (isThisMachine(req.socket.remoteAddress) && !isForwarded(req) && isOwnName(authorityOf(req))) return;
    throw new HttpError(
      403,
      "unauthorized",
      "only clients on this machine are answered; set operators.token for others",
    );
  };
};

/** Exactly these: other addresses of 127.0.0.0/8 are given to what others send (Istio's sidecar calls from 127.0.0.6). */
const isThisMachine = (address: string | undefined): boolean =>
  address === "127.0.0.1" || address === "::1" || address === "::ffff:127.0.0.1";

/**
 * A proxy on this machine speaks for somebody who may be anywhere. There is no end of headers by which they tell, so that
 * these alone are none: what clients and browsers say of themselves and of the request.
 */
const isForwarded = (req: IncomingMessage): boolean => Object.keys(req.headers).some((name) => !ofClients.test(name));

const ofClients =
  /^(?::.*|host|user-agent|referer|origin|cookie|authorization|connection|keep-alive|te|trailer|upgrade|upgrade-insecure-requests|transfer-encoding|expect|date|dnt|pragma|cache-control|priority|purpose|range|save-data|(?:accept|content|sec|if|access-control-request)(?:-[a-z]+)*)$/;

/** HTTP/2 has `:authority` in place of Host. */
const authorityOf = (req: IncomingMessage): string => req.headers.host ?? String(req.headers[":authority"] ?? "");

/** A web page of elsewhere whose name was made to lead here keeps its name. */
const isOwnName = (authority: string): boolean =>
  ["localhost", "127.0.0.1", "[::1]"].includes(authority.replace(/:\d*$/, "").toLowerCase());

/** Throws HttpError 403 for what a browser asks on behalf of a page of another site. */
export const refuseOtherSites = (req: IncomingMessage): void => {
  if (isOfAnotherSite(req)) throw new HttpError(403, "unauthorized", "web pages of other sites are not answered");
};

/** What a browser says of whoever made it ask; other clients say nothing of it. */
const isOfAnotherSite = (req: IncomingMessage): boolean => {
  const { origin, "sec-fetch-site": site } = req.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  return origin !== undefined && URL.parse(origin)?.host.toLowerCase() !== authorityOf(req).toLowerCase();
};
