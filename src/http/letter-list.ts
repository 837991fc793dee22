/** Dead letters as the operators' API lists them. */
import { decodeAlert } from "../pipeline/codec.ts";
import { outputOfLane } from "../pipeline/lanes.ts";
import type { DeadLetter, Queue } from "../queue/queue.ts";
import { rawEvent } from "../sdk/alert.ts";
import { HttpError } from "./errors.ts";

const mostLetters = 500;
/** Read at once: a letter may hold some hundred alerts. */
export const pageLetters = 10;

/** A lane as answers name it: with its output, if it is one's. */
export const laneNames = (lane: string): { lane: string; output?: string } => {
  const output = outputOfLane(lane);
  return output === undefined ? { lane } : { lane, output };
};

/** Letters lane by lane, oldest first; `after` is an id of the first lane. */
export async function* lettersOf(queue: Pick<Queue, "dead">, lanes: readonly string[], after?: string) {
  let last = after;
  for (const lane of lanes) {
    for (;;) {
      const page = await queue.dead(lane, pageLetters, last);
      yield* page;
      last = page.at(-1)?.id;
      if (page.length < pageLetters) break;
    }
    last = undefined;
  }
}

/** The alerts stand as they would be sent: numbers keep their digits. */
export const letterText = (letter: DeadLetter): string => {
  const { lane, id, why, count, at, diedAt } = letter;
  const alerts = alertTexts(letter);
  const head = JSON.stringify({
    id,
    ...laneNames(lane),
    why,
    acceptedAt: new Date(at).toISOString(),
    diedAt: new Date(diedAt).toISOString(),
    count,
    ...(!alerts && { unreadable: true }),
  });
  return `${head.slice(0, -1)},"alerts":[${(alerts ?? []).join(",")}]}`;
};

const alertTexts = ({ body }: DeadLetter): readonly string[] | undefined => {
  try {
    return body.split("\n").map((line) => rawEvent(decodeAlert(line)));
  } catch {
    return undefined;
  }
};

/** `next` is given back as `after`; absent: the list ends here. */
export const pageText = (letters: readonly string[], next?: string): string =>
  `{"deadLetters":[${letters.join(",")}]${next === undefined ? "" : `,"next":${JSON.stringify(next)}`}}\n`;

export const cursorOf = ({ lane, id }: DeadLetter): string => `${encodeURIComponent(lane)}/${id}`;

export const readCursor = (text: string | null): { lane: string; id: string } | undefined => {
  if (text === null || text === "") return undefined;
  const slash = text.indexOf("/");
  try {
    if (slash > 0) return { lane: decodeURIComponent(text.slice(0, slash)), id: text.slice(slash + 1) };
  } catch {
    // Not an escape: answered below.
  }
  throw new HttpError(400, "invalid", "after is not what an earlier answer had as next");
};

export const readLimit = (text: string | null): number => {
  if (text === null) return 50;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1) return Math.min(limit, mostLetters);
  throw new HttpError(400, "invalid", "limit is not a whole number from 1");
};
