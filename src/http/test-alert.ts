import type { Metrics } from "../metrics/metrics.ts";
import { type TakeAlerts, takeAlerts } from "./alerts.ts";
import { type Answer, wrongMethod } from "./answer.ts";
import { type Family, respond } from "./app.ts";
import type { Sender } from "./auth.ts";
import { refuse, type Shared } from "./exchange.ts";

/** The alert that falcosidekick sends on `/test`; its rule makes it pass every minimum priority. */
const testAlert = (ms: number): string =>
  JSON.stringify({
    output: "This is a test from falcosidekick",
    priority: "Debug",
    hostname: "falcosidekick",
    rule: "Test rule",
    time: `${new Date(ms).toISOString().slice(0, 19)}Z`,
    output_fields: { "proc.name": "falcosidekick", "user.name": "falcosidekick" },
    tags: ["test", "example"],
  });

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
