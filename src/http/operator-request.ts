import type { IncomingMessage } from "node:http";
import { readBody } from "./body.ts";
import type { Budget } from "./budget.ts";
import { HttpError } from "./errors.ts";

export const bodyBytes = 1 << 20;

/**
 * What an operator sends as JSON, understood by `read`; `wanted` is said when that gives nothing. A type that no web form can
 * send keeps pages of elsewhere from acting through an operator's browser.
 */
export const readRequest = async <T>(
  req: IncomingMessage,
  budget: Budget,
  wanted: string,
  read: (sent: Readonly<Record<string, unknown>>) => T | undefined,
): Promise<T> => {
  if (!/^application\/json\b/i.test(req.headers["content-type"] ?? "")) throw new HttpError(415, "encoding", wanted);
  const body = await readBody(req, { maxBytes: bodyBytes, budget });
  try {
    const understood = read(Object(JSON.parse(body.bytes.toString("utf8"))));
    if (understood === undefined) throw new SyntaxError();
    return understood;
  } catch (error) {
    if (error instanceof SyntaxError) throw new HttpError(400, "invalid", wanted);
    throw error;
  } finally {
    body.release();
  }
};
