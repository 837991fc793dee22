import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answer, give } from "./answer.ts";
import { type Body, readBody } from "./body.ts";
import type { Door } from "./door.ts";
import { errorAnswer, type HttpError, toHttpError } from "./errors.ts";

export interface Work {
  /** Of the body; the door's own bound when absent. */
  readonly maxBytes?: number;
  /** Looks at the request before a place is taken and before its body is read: an answer is sent in place of all that. May throw HttpError. */
  admit(): Answer | undefined;
  run(body: Body): Promise<Answer>;
}

/**
 * One POST from admission to answer. Whatever goes wrong becomes an answer with a JSON reason. The body's bytes stay in the
 * budget until the answer is known.
 */
export const serve = async (req: IncomingMessage, res: ServerResponse, door: Door, work: Work): Promise<void> => {
  const { gate, budget, open, limits } = door;
  let body: Body | undefined;
  let entered = false;
  let answer: Answer | undefined;
  try {
    answer = work.admit();
    if (!answer) {
      gate.enter();
      entered = true;
      body = await readBody(req, {
        maxBytes: work.maxBytes ?? limits.maxBodyBytes,
        budget,
        open,
        maxRatio: limits.maxRatio,
        begin: req.headers.expect === undefined ? undefined : () => res.writeContinue(),
      });
      answer = await work.run(body);
    }
  } catch (error) {
    answer = refuse(error, door, req);
  } finally {
    body?.release();
    if (entered) gate.leave();
  }
  if (door.phase.now !== "open") res.shouldKeepAlive = false;
  give(req, res, answer);
};

/** The answer to an error, counted and told; what nobody foresaw is logged whole. `at`: not of a sender (see Door). */
export const refuse = (error: unknown, door: Door, req: IncomingMessage, at?: string): Answer => {
  const known: HttpError = toHttpError(error);
  if (known.refusal === "internal") door.log.error({ err: error }, "a request failed");
  if (at === undefined) door.rejected(known.refusal, known.status);
  door.refused(known.refusal, known.message, req.socket.remoteAddress, at);
  return errorAnswer(known);
};
