import { Router } from "@koa/router";
import Koa, { type Context } from "koa";
import { type Answer, leaveRest, wrongMethod } from "./answer.ts";
import type { Door } from "./door.ts";
import { refusalOf } from "./errors.ts";
import { refuse } from "./exchange.ts";

/** One family of endpoints: adds its routes. */
export type Family = (router: Router) => void;

export interface App {
  /** True: a route has this path, whatever the method. */
  claims(path: string): boolean;
  readonly handle: ReturnType<Koa["callback"]>;
}

/** Everything behind the hot path: named endpoints, one file per family. */
export const createApp = (families: readonly Family[], door: Door): App => {
  // `/ping/` and `/PING` are not `/ping`.
  const router = new Router({ strict: true, sensitive: true });
  for (const family of families) family(router);
  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    try {
      await next();
      if (ctx.status >= 400 && ctx.status < 500) tell(ctx, door);
    } catch (error) {
      respond(ctx, refuse(error, door, ctx.req, pathShown(ctx.path)));
    }
    if (door.phase.now !== "open") ctx.res.shouldKeepAlive = false;
    leaveRest(ctx.req, ctx.res);
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  return {
    claims: (path) => router.stack.some((layer) => layer.methods.length > 0 && layer.regexp.test(path)),
    handle: app.callback(),
  };
};

/** What a family answered by itself, with the sender at fault. */
const tell = (ctx: Context, door: Door): void => {
  const refusal = ctx.body === wrongMethod.body ? "method" : refusalOf(ctx.status);
  door.refused(
    refusal,
    errorIn(ctx.body) ?? `answered ${ctx.status}`,
    ctx.req.socket.remoteAddress,
    pathShown(ctx.path),
  );
};

/** The words of a JSON answer of the hub's own. */
const errorIn = (body: unknown): string | undefined => {
  if (typeof body !== "string" || !body.startsWith('{"error":')) return undefined;
  const { error } = JSON.parse(body) as { error: unknown };
  return typeof error === "string" ? error : undefined;
};

/** The label of paths whose callers are not senders; undefined: the listener's own. */
const pathShown = (path: string): string | undefined =>
  path === "/metrics" ? "metrics" : path.startsWith("/api/") ? "operators" : undefined;

export const respond = (ctx: Context, answer: Answer): void => {
  ctx.status = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) ctx.set(name, value);
  ctx.body = answer.body ?? "";
  if (!answer.body) ctx.remove("Content-Type");
};
