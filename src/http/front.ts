import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answer, give, jsonAnswer, notFound, textAnswer, wrongMethod } from "./answer.ts";
import type { App } from "./app.ts";
import type { Door } from "./door.ts";
import type { Refusal } from "./errors.ts";
import { longestTarget, parseTarget, redirectToClean } from "./path.ts";

export interface FrontParts {
  readonly door: Door;
  readonly app: App;
  /** Whether this port has the path. */
  readonly serves: (path: string) => boolean;
  readonly postAlerts: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
}

const longPath = jsonAnswer(414, { error: `the path is longer than ${longestTarget} characters` });

/** What stands before the application: looks up as Go's router does: a clean path, a named path that is served here, else the catch-all if it is. */
export const createFront =
  ({ door, app, serves, postAlerts }: FrontParts) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    const turnAway = (answer: Answer, refusal: Refusal, why: string): void => {
      door.refused(refusal, why, req.socket.remoteAddress);
      give(req, res, answer);
    };
    if (door.phase.now !== "open") res.shouldKeepAlive = false;
    const url = req.url ?? "/";
    const long = url.length > longestTarget;
    const target = long ? undefined : parseTarget(url);
    if (!target) {
      if (long) turnAway(longPath, "uri_too_long", "a path that is too long");
      else turnAway(textAnswer(400, "400 Bad Request"), "bad_request", "a target that is no path");
      return;
    }
    const moved = redirectToClean(req.method ?? "", target);
    const { path } = target;
    if (moved) turnAway(moved, "moved", "a path with //, . or ..: the sender is told the clean one");
    else if (path !== "/" && serves(path) && app.claims(path)) {
      req.url = path + target.query;
      if (target.authority !== undefined) req.headers.host = target.authority;
      void app.handle(req, res);
    } else if (!serves("/")) turnAway(notFound, "not_found", "a path that is not served on this port");
    else if (req.method === "POST") void postAlerts(req, res);
    else turnAway(wrongMethod, "method", "a method other than POST on a path that takes alerts");
  };

/** The answer to a method that no parser knows: falcosidekick's, which looks at the path alone. */
export const oddMethod = (path: string): Answer => {
  if (path === "/ping") return textAnswer(200, "pong\n");
  return path === "/healthz" ? textAnswer(200, '{"status": "ok"}') : wrongMethod;
};
