import { childIds } from "../queue/ids.ts";
import type { Consumer, Queue } from "../queue/queue.ts";
import { alertLane, eventLane } from "./lanes.ts";
import type { Stages } from "./stages.ts";
import { walkAlerts, walkEvents } from "./walk.ts";

/** Chunks of a lane that are walked at once. */
const parallel = 8;

/** Consumes both lanes in front; a chunk and what became of it are settled in one step. */
export const openWorker = (queue: Queue, stages: Stages): readonly Consumer[] => {
  const consume = (lane: string, walk: typeof walkAlerts): Consumer =>
    queue.consume(
      lane,
      async (item) => {
        const next = await walk(stages, item, (work) => queue.during([item], work));
        return next.length === 0 ? {} : { next: childIds(next) };
      },
      parallel,
    );
  return [consume(alertLane, walkAlerts), consume(eventLane, walkEvents)];
};
