import type { IncomingMessage } from "node:http";
import { readBody } from "./body.ts";
import type { Budget } from "./budget.ts";
import { HttpError } from "./errors.ts";

export const bodyBytes = 1 << 20;
const mostIds = 10_000;

/** Which lane: `output` is an instance's id; `lane` reaches those that are no output's. */
export interface Choice {
  readonly output?: string | undefined;
  readonly lane?: string | undefined;
}

const wanted = 'send {"output": "…"} as application/json, with "ids": ["…"] for some only';

/** A type that no web form can send keeps pages of elsewhere from acting through an operator's browser. */
export const readChoice = async (
  req: IncomingMessage,
  budget: Budget,
): Promise<Choice & { readonly ids?: readonly string[] }> => {
  if (!/^application\/json\b/i.test(req.headers["content-type"] ?? "")) throw new HttpError(415, "encoding", wanted);
  const body = await readBody(req, { maxBytes: bodyBytes, budget });
  try {
    const { output, lane, ids } = Object(JSON.parse(body.bytes.toString("utf8"))) as Record<string, unknown>;
    const named = [output, lane].filter((name) => name !== undefined);
    if (named.length !== 1 || typeof named[0] !== "string") throw new SyntaxError();
    if (ids !== undefined && !isIds(ids)) throw new SyntaxError();
    return {
      ...(output === undefined ? { lane: named[0] } : { output: named[0] }),
      ...(ids !== undefined && { ids: [...new Set(ids)] }),
    };
  } catch (error) {
    if (error instanceof SyntaxError) throw new HttpError(400, "invalid", wanted);
    throw error;
  } finally {
    body.release();
  }
};

const isIds = (ids: unknown): ids is readonly string[] =>
  Array.isArray(ids) && ids.length <= mostIds && ids.every((id) => typeof id === "string");
