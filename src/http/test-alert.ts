import type { Metrics } from "../metrics/metrics.ts";
import { testAlert } from "../sdk/test-alert.ts";
import { type TakeAlerts, takeAlerts } from "./alerts.ts";
import { type Answer, wrongMethod } from "./answer.ts";
import { type Family, respond } from "./app.ts";
import type { Sender } from "./auth.ts";
import { refuse, type Shared } from "./exchange.ts";

/** `POST /test` sends a Debug alert to every output; the request's body is ignored. */
export const testEndpoint =
  (
    take: TakeAlerts,
    metrics: Metrics,
    authorize: (header: string | undefined) => Sender,
    shared: Shared,
    now: () => number,
  ): Family =>
  (router) => {
    const run = async (authorization: string | undefined): Promise<Answer> => {
      shared.gate.enter();
      try {
        return await takeAlerts(take, metrics, testAlert(now()), authorize(authorization));
      } finally {
        shared.gate.leave();
      }
    };
    router.all("/test", async (ctx) => {
      if (ctx.method !== "POST") respond(ctx, wrongMethod);
      else respond(ctx, await run(ctx.req.headers.authorization).catch((error: unknown) => refuse(error, shared)));
    });
  };
