import type { IncomingMessage } from "node:http";
import type { Logger } from "pino";
import { knownLanes, outputLane } from "../pipeline/lanes.ts";
import type { Depth, Queue } from "../queue/queue.ts";
import { type Answer, jsonAnswer } from "./answer.ts";
import type { Family } from "./app.ts";
import { createBudget } from "./budget.ts";
import { HttpError } from "./errors.ts";
import { type Choice, readChoice } from "./letter-choice.ts";
import { cursorOf, laneNames, lettersOf, letterText, pageText, readCursor, readLimit } from "./letter-list.ts";
import { createMoves, type Kind } from "./letter-moves.ts";
import { openOperatorDoor } from "./operator-door.ts";
import { bodyBytes } from "./operator-request.ts";

export interface DeadLetterDeps {
  readonly queue: Pick<Queue, "lanes" | "depth" | "dead" | "redrive" | "discard" | "status">;
  /** Lanes of the configuration; those that hold something are known besides. */
  readonly lanes: readonly string[];
  /** How the destination of a lane does, when this process delivers to it. */
  readonly state: (lane: string) => object | undefined;
  /** Empty: clients on the machine itself are answered, and no others. */
  readonly token: () => string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const path = "/api/v1/dead-letters";
/** Text of one answer, after which a page ends early. */
const answerBytes = 4 << 20;
/** A redrive or discard that takes longer goes on by itself. */
const patienceMs = 2000;

/** What waits in the lanes and what was given up; dead letters can be sent again or thrown away. */
export const deadLetters = (deps: DeadLetterDeps): Family => {
  const { queue, log } = deps;
  const answered = openOperatorDoor(deps.token);
  const budget = createBudget(4 * bodyBytes);
  const moves = createMoves(queue, log, deps.now);

  const known = (): Promise<readonly string[]> => knownLanes(queue, deps.lanes);

  const chosenLane = async (choice: Choice): Promise<string> => {
    const lane = choice.output === undefined ? (choice.lane ?? "") : outputLane(choice.output);
    if ((await known()).includes(lane)) return lane;
    throw new HttpError(404, "invalid", "there is no such output");
  };

  const lanes = async (): Promise<Answer> => {
    const rows = (await known()).map(async (lane) => ({
      ...laneNames(lane),
      ...depthOf(await queue.depth(lane), deps.now()),
      ...(deps.state(lane) && { state: deps.state(lane) }),
    }));
    return jsonAnswer(200, { queue: queue.status(), lanes: await Promise.all(rows) });
  };

  const list = async (query: URLSearchParams): Promise<Answer> => {
    const limit = readLimit(query.get("limit"));
    const after = readCursor(query.get("after"));
    const choice = { output: query.get("output") ?? undefined, lane: query.get("lane") ?? undefined };
    const all = choice.output === undefined && choice.lane === undefined;
    const chosen = all ? (await known()).toSorted() : [await chosenLane(choice)];
    const from = after ? chosen.indexOf(after.lane) : 0;
    if (from < 0) throw new HttpError(400, "invalid", "after is not of this list");
    const texts: string[] = [];
    let bytes = 0;
    let next: string | undefined;
    for await (const letter of lettersOf(queue, chosen.slice(from), after?.id)) {
      if (texts.length === limit || bytes >= answerBytes) return jsonText(pageText(texts, next));
      const text = letterText(letter);
      bytes += text.length;
      texts.push(text);
      next = cursorOf(letter);
    }
    return jsonText(pageText(texts));
  };

  const move = (kind: Kind) => async (req: IncomingMessage) => {
    const { ids, ...choice } = await readChoice(req, budget);
    const move = await moves.start(kind, await chosenLane(choice), ids, patienceMs);
    const { letters } = move;
    return move.state === "running" ? jsonAnswer(202, { letters, [kind]: move }) : jsonAnswer(200, { letters });
  };

  const cancel = (kind: Kind) => async (req: IncomingMessage) => {
    const lane = await chosenLane(await readChoice(req, budget));
    const move = await moves.cancel(kind, lane);
    if (!move) throw new HttpError(404, "invalid", `there is no ${kind} of this output under way`);
    return jsonAnswer(200, { [kind]: move });
  };

  return (router) => {
    router.all("/api/v1/lanes", answered("GET", lanes));
    router.all(
      path,
      answered("GET", (ctx) => list(new URLSearchParams(ctx.querystring))),
    );
    for (const kind of ["redrive", "discard"] as const) {
      router.all(
        `${path}/${kind}`,
        answered("POST", (ctx) => move(kind)(ctx.req)),
      );
      router.all(
        `${path}/${kind}s`,
        answered("GET", async () => jsonAnswer(200, { [`${kind}s`]: moves.list(kind) })),
      );
      router.all(
        `${path}/${kind}/cancel`,
        answered("POST", (ctx) => cancel(kind)(ctx.req)),
      );
    }
  };
};

const depthOf = ({ oldestAt, ...counts }: Depth, now: number) => ({
  ...counts,
  ...(oldestAt !== undefined && { oldestAgeSeconds: Math.max(0, now - oldestAt) / 1000 }),
});

const jsonText = (body: string): Answer => ({ ...jsonAnswer(200, {}), body });
