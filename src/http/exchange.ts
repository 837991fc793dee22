import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { type Answer, give } from "./answer.ts";
import { type Body, readBody } from "./body.ts";
import type { Budget } from "./budget.ts";
import { errorAnswer, type HttpError, type Refusal, toHttpError } from "./errors.ts";
import type { Gate } from "./gate.ts";

/** What every POST handler of a server shares. */
export interface Shared {
  readonly gate: Gate;
  readonly budget: Budget;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  /** Counts a refused request; `status` tells the sender's faults (4xx) from the hub's. */
  refused(refusal: Refusal, status: number): void;
}

/**
 * One POST from gate to answer: `work` is given the body and its answer is sent. Whatever goes wrong becomes an answer with
 * a JSON reason. The body's bytes stay in the budget until the answer is known.
 */
export const serve = async (
  req: IncomingMessage,
  res: ServerResponse,
  shared: Shared,
  maxBytes: number,
  work: (body: Body) => Promise<Answer>,
  admit: () => void = () => {},
): Promise<void> => {
  let body: Body | undefined;
  let entered = false;
  let answer: Answer;
  try {
    shared.gate.enter();
    entered = true;
    admit();
    const begin = req.headers.expect === undefined ? undefined : () => res.writeContinue();
    body = await readBody(req, { maxBytes, budget: shared.budget, begin });
    answer = await work(body);
  } catch (error) {
    answer = refuse(error, shared);
  } finally {
    body?.release();
    if (entered) shared.gate.leave();
  }
  if (shared.gate.phase !== "open") res.shouldKeepAlive = false;
  give(req, res, answer);
};

/** The answer to an error, counted; what nobody foresaw is logged. */
export const refuse = (error: unknown, shared: Shared): Answer => {
  const known: HttpError = toHttpError(error);
  if (known.refusal === "internal") shared.log.error({ err: error }, "a request failed");
  shared.refused(known.refusal, known.status);
  return errorAnswer(known);
};
