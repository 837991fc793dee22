import type { IncomingMessage, ServerResponse } from "node:http";
import type { Metrics } from "../metrics/metrics.ts";
import type { Counts } from "../pipeline/counts.ts";
import type { BodyOutcome } from "../pipeline/intake.ts";
import { loopHeader } from "../sdk/loop.ts";
import { type Answer, jsonAnswer, ok } from "./answer.ts";
import type { Caller } from "./auth.ts";
import type { Door } from "./door.ts";
import { HttpError } from "./errors.ts";
import { serve } from "./exchange.ts";
import { refuseLoop } from "./loop-marks.ts";
import { checkWeight } from "./weight.ts";

/** Resolves when the good alerts of the body are durable. Rejects with QueueError: nothing was taken. */
export type TakeAlerts = (text: string, sender: Caller) => Promise<BodyOutcome>;

/** falcosidekick's name for what comes over HTTP. */
export const requests = "requests";

/** Hands a text to the intake and says what became of it (decisions/json-reasons.md). */
export const takeAlerts = async (
  parts: AlertParts,
  text: string,
  sender: Caller,
  req: IncomingMessage,
): Promise<Answer> => {
  const { counts, door } = parts;
  const { accepted, rejected, refused } = await parts.take(text, sender);
  if (accepted > 0) counts.accepted(requests, accepted);
  if (accepted > 0 && rejected.length === 0) return ok;
  const causes = Object.entries(refused ?? { invalid: Math.max(1, rejected.length) });
  const reason = rejected[0]?.reason ?? "no alert";
  for (const [cause, n] of causes) counts.rejected(requests, cause, n);
  const broken = causes.some(([cause]) => cause === "invalid");
  const what = accepted > 0 ? "a part of a body of alerts" : "a body of alerts";
  door.refused(broken ? "invalid" : "too_large", `${what}: ${reason}`, req.socket.remoteAddress);
  if (accepted > 0) return jsonAnswer(200, { accepted, rejected });
  return jsonAnswer(broken ? 400 : 413, { error: "Please send a valid request body", rejected });
};

export interface AlertParts {
  readonly take: TakeAlerts;
  readonly metrics: Pick<Metrics, "intakeBytes">;
  readonly counts: Pick<Counts, "accepted" | "rejected">;
  readonly authorize: (header: string | undefined) => Caller;
  readonly door: Door;
  /** Marks of the URLs that this hub sends to and that would send its alerts back. */
  readonly loops?: ReadonlySet<string>;
}

/** A worker's: it delivers what others take. */
export const takeNothing: TakeAlerts = async () => {
  throw new HttpError(503, "unavailable", "this process is a worker and takes no alerts", { "Retry-After": "5" });
};

/** The hot path: POST to any path that nothing else claims. */
export const createAlertPost =
  (parts: AlertParts) =>
  (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let sender: Caller = {};
    return serve(req, res, parts.door, {
      admit: () => {
        sender = parts.authorize(req.headers.authorization);
        if (parts.loops) refuseLoop(req.headers[loopHeader], parts.loops);
        return undefined;
      },
      run: (body) => {
        parts.metrics.intakeBytes(requests, body.wire);
        checkWeight(body.bytes);
        return takeAlerts(parts, body.bytes.toString("utf8"), sender, req);
      },
    });
  };
