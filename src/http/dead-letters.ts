import type { IncomingMessage } from "node:http";
import type { Logger } from "pino";
import { knownLanes, outputLane } from "../pipeline/lanes.ts";
import type { Depth, Queue } from "../queue/queue.ts";
import { type Answer, jsonAnswer } from "./answer.ts";
import type { Family } from "./app.ts";
import { createBudget } from "./budget.ts";
import { HttpError } from "./errors.ts";
import { type Choice, readChoice } from "./letter-choice.ts";
import {
  cursorOf,
  laneNames,
  lettersOf,
  letterText,
  listText,
  pageLetters,
  readCursor,
  readLimit,
} from "./letter-list.ts";
import { openOperatorDoor } from "./operator-door.ts";
import { bodyBytes } from "./operator-request.ts";
import { createRedrives } from "./redrives.ts";

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
/** A redrive that takes longer goes on by itself. */
const patienceMs = 2000;

/** What waits in the lanes and what was given up; dead letters can be sent again or thrown away. */
export const deadLetters = (deps: DeadLetterDeps): Family => {
  const { queue, log } = deps;
  const answered = openOperatorDoor(deps.token);
  const budget = createBudget(4 * bodyBytes);
  const redrives = createRedrives(queue, log, deps.now);

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
      if (texts.length === limit || bytes >= answerBytes) return jsonText(listText(texts, next));
      const text = letterText(letter);
      bytes += text.length;
      texts.push(text);
      next = cursorOf(letter);
    }
    return jsonText(listText(texts));
  };

  const redrive = async (req: IncomingMessage): Promise<Answer> => {
    const { ids, ...choice } = await readChoice(req, budget);
    const lane = await chosenLane(choice);
    const redrive = await redrives.start(lane, ids, patienceMs);
    const { letters } = redrive;
    return redrive.state === "running" ? jsonAnswer(202, { letters, redrive }) : jsonAnswer(200, { letters });
  };

  const cancel = async (req: IncomingMessage): Promise<Answer> => {
    const lane = await chosenLane(await readChoice(req, budget));
    const redrive = await redrives.cancel(lane);
    if (!redrive) throw new HttpError(404, "invalid", "none of this output's dead letters are being sent again");
    return jsonAnswer(200, { redrive });
  };

  const discard = async (req: IncomingMessage): Promise<Answer> => {
    const { ids, ...choice } = await readChoice(req, budget);
    const lane = await chosenLane(choice);
    const letters = ids ? await queue.discard(lane, ids) : await discardAll(queue, lane, deps.now());
    log.info({ lane, letters }, "dead letters are discarded");
    return jsonAnswer(200, { letters });
  };

  return (router) => {
    router.all("/api/v1/lanes", answered("GET", lanes));
    router.all(
      path,
      answered("GET", (ctx) => list(new URLSearchParams(ctx.querystring))),
    );
    router.all(
      `${path}/redrive`,
      answered("POST", (ctx) => redrive(ctx.req)),
    );
    router.all(
      `${path}/redrives`,
      answered("GET", async () => jsonAnswer(200, { redrives: redrives.list() })),
    );
    router.all(
      `${path}/redrive/cancel`,
      answered("POST", (ctx) => cancel(ctx.req)),
    );
    router.all(
      `${path}/discard`,
      answered("POST", (ctx) => discard(ctx.req)),
    );
  };
};

const depthOf = ({ oldestAt, ...counts }: Depth, now: number) => ({
  ...counts,
  ...(oldestAt !== undefined && { oldestAgeSeconds: Math.max(0, now - oldestAt) / 1000 }),
});

/** Those that died until now; what dies meanwhile was seen by nobody and stays. */
const discardAll = async (queue: Pick<Queue, "dead" | "discard">, lane: string, until: number): Promise<number> => {
  let letters = 0;
  for (;;) {
    const ids = (await queue.dead(lane, pageLetters)).filter((l) => l.diedAt <= until).map((l) => l.id);
    const gone = ids.length === 0 ? 0 : await queue.discard(lane, ids);
    if (gone === 0) return letters;
    letters += gone;
  }
};

const jsonText = (body: string): Answer => ({ ...jsonAnswer(200, {}), body });
