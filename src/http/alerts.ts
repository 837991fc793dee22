import type { IncomingMessage, ServerResponse } from "node:http";
import type { Metrics } from "../metrics/metrics.ts";
import { type Answer, jsonAnswer, ok } from "./answer.ts";
import type { Sender } from "./auth.ts";
import { type Shared, serve } from "./exchange.ts";
import { checkWeight } from "./weight.ts";

export interface Taken {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** Resolves when the good alerts of the body are durable. Rejects with QueueError: nothing was taken. */
export type TakeAlerts = (text: string, sender: Sender) => Promise<Taken>;

/** falcosidekick's name for what comes over HTTP. */
export const requests = "requests";

/** Hands a text to the intake and says what became of it (decisions/json-reasons.md). */
export const takeAlerts = async (take: TakeAlerts, metrics: Metrics, text: string, sender: Sender): Promise<Answer> => {
  const { accepted, rejected } = await take(text, sender);
  if (accepted > 0) metrics.input(requests, "accepted", accepted);
  if (accepted > 0 && rejected.length === 0) return ok;
  const refused = Math.max(1, rejected.length);
  metrics.input(requests, "rejected", refused);
  metrics.intakeRejected(requests, "invalid", refused);
  if (accepted > 0) return jsonAnswer(200, { accepted, rejected });
  return jsonAnswer(400, { error: "Please send a valid request body", rejected });
};

/** The hot path: POST to any path that nothing else claims. */
export const createAlertPost =
  (take: TakeAlerts, metrics: Metrics, authorize: (header: string | undefined) => Sender, shared: Shared) =>
  (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let sender: Sender = {};
    return serve(
      req,
      res,
      shared,
      shared.maxBodyBytes,
      (body) => {
        metrics.intakeBytes(requests, body.wire);
        checkWeight(body.bytes);
        return takeAlerts(take, metrics, body.bytes.toString("utf8"), sender);
      },
      () => {
        sender = authorize(req.headers.authorization);
      },
    );
  };
