import type { IncomingMessage } from "node:http";
import type { Budget } from "./budget.ts";
import { readRequest } from "./operator-request.ts";

const mostIds = 10_000;

/** Which lane: `output` is an instance's id; `lane` reaches those that are no output's. */
export interface Choice {
  readonly output?: string | undefined;
  readonly lane?: string | undefined;
}

const wanted = 'send {"output": "…"} as application/json, with "ids": ["…"] for some only';

export const readChoice = (
  req: IncomingMessage,
  budget: Budget,
): Promise<Choice & { readonly ids?: readonly string[] }> =>
  readRequest(req, budget, wanted, ({ output, lane, ids }) => {
    const named = [output, lane].filter((name) => name !== undefined);
    if (named.length !== 1 || typeof named[0] !== "string") return undefined;
    if (ids !== undefined && !isIds(ids)) return undefined;
    return {
      ...(output === undefined ? { lane: named[0] } : { output: named[0] }),
      ...(ids !== undefined && { ids: [...new Set(ids)] }),
    };
  });

const isIds = (ids: unknown): ids is readonly string[] =>
  Array.isArray(ids) && ids.length <= mostIds && ids.every((id) => typeof id === "string");
