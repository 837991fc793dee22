import { createCache } from "../../src/pipeline/enrich/cache.ts";
import { readObject } from "../../src/pipeline/enrich/collector/read-object.ts";
import { recorded } from "../fakes/metacollector.ts";

/** What is known when the recorded stream of a collector was heard to its end; `graceMs`: of objects that are gone, no time passes. */
export const recordedCache = (graceMs = 0) => {
  const cache = createCache({ maxObjects: 10_000, graceMs, clock: () => 0 });
  const stream = cache.open();
  for (const event of recorded("node-1").flatMap(({ events }) => events)) {
    const object = event.reason === "Delete" ? "gone" : readObject(event);
    if (typeof object === "string") stream.remove(event.uid);
    else stream.put(object);
  }
  return { cache, stream };
};
