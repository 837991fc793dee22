import type { IncomingMessage } from "node:http";
import type { Original, Originals, Queue } from "../queue/queue.ts";
import { type Answer, jsonAnswer } from "./answer.ts";
import type { Family } from "./app.ts";
import { createBudget } from "./budget.ts";
import { HttpError } from "./errors.ts";
import { openOperatorDoor } from "./operator-door.ts";
import { bodyBytes, readRequest } from "./operator-request.ts";

export interface DamagedFileDeps {
  readonly queue: Pick<Queue, "originals">;
  /** Empty: clients on the machine itself are answered, and no others. */
  readonly token: () => string;
}

const path = "/api/v1/damaged-files";
const wanted = 'send {"files": ["…"]} or {"all": true} as application/json';
const none: Originals = { list: async () => [], release: async () => [] };

/** Damaged queue files that are kept: what was saved from them, and their release. */
export const damagedFiles = ({ queue, token }: DamagedFileDeps): Family => {
  const answered = openOperatorDoor(token);
  const budget = createBudget(4 * bodyBytes);
  const originals = queue.originals ?? none;

  const release = async (req: IncomingMessage): Promise<Answer> => {
    const files = await readRequest(req, budget, wanted, ({ files, all }) => {
      if (files === undefined) return all === true ? "all" : undefined;
      return all === undefined && isNames(files) ? files : undefined;
    });
    const there = await originals.list();
    const chosen = files === "all" ? there.filter(({ report }) => report).map(({ name }) => name) : files;
    for (const name of chosen) {
      const found = there.find((original) => original.name === name);
      if (!found) throw new HttpError(404, "invalid", "there is no such file");
      if (!found.report) throw new HttpError(409, "invalid", "the file is still being read back");
    }
    return jsonAnswer(200, { released: (await originals.release(chosen)).map(shown) });
  };

  return (router) => {
    router.all(
      path,
      answered("GET", async () => jsonAnswer(200, { files: (await originals.list()).map(shown) })),
    );
    router.all(
      `${path}/release`,
      answered("POST", (ctx) => release(ctx.req)),
    );
  };
};

const isNames = (files: unknown): files is readonly string[] =>
  Array.isArray(files) && files.length > 0 && files.every((name) => typeof name === "string");

const shown = ({ since, report, ...facts }: Original) => ({
  ...facts,
  since: new Date(since).toISOString(),
  reading: report === undefined,
  ...report,
});
