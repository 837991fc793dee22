import type { Family } from "./app.ts";

export interface Readiness {
  readonly ok: boolean;
  /** Why not, or what is degraded; for people. */
  readonly reasons: readonly string[];
}

/** `/ping` and `/healthz` say that the process answers; `/readyz` says that an alert sent now would be kept. */
export const health =
  (ready: () => Readiness): Family =>
  (router) => {
    router.all("/ping", (ctx) => {
      ctx.set("Content-Type", "text/plain; charset=utf-8");
      ctx.body = "pong\n";
    });
    router.all("/healthz", (ctx) => {
      ctx.set("Content-Type", "application/json");
      ctx.body = '{"status": "ok"}';
    });
    router.all("/readyz", (ctx) => {
      const { ok, reasons } = ready();
      ctx.status = ok ? 200 : 503;
      ctx.set("Content-Type", "application/json");
      ctx.set("Cache-Control", "no-store");
      ctx.body = JSON.stringify({ status: ok ? "ok" : "unavailable", reasons });
    });
  };
