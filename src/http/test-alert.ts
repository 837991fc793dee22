import { testAlert } from "../pipeline/test-alert.ts";
import { type AlertParts, takeAlerts } from "./alerts.ts";
import { wrongMethod } from "./answer.ts";
import { type Family, respond } from "./app.ts";
import { refuseOtherSites } from "./operators.ts";

/** `POST /test` sends a Debug alert to every output; the request's body is ignored. */
export const testEndpoint =
  (parts: AlertParts, now: () => number): Family =>
  (router) => {
    const { authorize, door } = parts;
    router.all("/test", async (ctx) => {
      if (ctx.method !== "POST") return respond(ctx, wrongMethod);
      refuseOtherSites(ctx.req);
      const sender = authorize(ctx.req.headers.authorization);
      door.gate.enter();
      try {
        respond(ctx, await takeAlerts(parts, testAlert(now()), { ...sender, itself: true }, ctx.req));
      } finally {
        door.gate.leave();
      }
    });
  };
