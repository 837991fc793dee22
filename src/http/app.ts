import { Router } from "@koa/router";
import Koa, { type Context } from "koa";
import { type Answer, leaveRest } from "./answer.ts";
import { refuse, type Shared } from "./exchange.ts";

/** One family of endpoints: adds its routes. */
export type Family = (router: Router) => void;

export interface App {
  /** True: a route has this path, whatever the method. */
  claims(path: string): boolean;
  readonly handle: ReturnType<Koa["callback"]>;
}

/** Everything behind the hot path: named endpoints, one file per family. */
export const createApp = (families: readonly Family[], shared: Shared): App => {
  // `/ping/` and `/PING` are not `/ping`.
  const router = new Router({ strict: true, sensitive: true });
  for (const family of families) family(router);
  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      respond(ctx, refuse(error, shared));
    }
    if (shared.gate.phase !== "open") ctx.res.shouldKeepAlive = false;
    leaveRest(ctx.req, ctx.res);
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  return {
    claims: (path) => router.stack.some((layer) => layer.methods.length > 0 && layer.regexp.test(path)),
    handle: app.callback(),
  };
};

export const respond = (ctx: Context, answer: Answer): void => {
  ctx.status = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) ctx.set(name, value);
  ctx.body = answer.body ?? "";
  if (!answer.body) ctx.remove("Content-Type");
};
