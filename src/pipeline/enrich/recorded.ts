import type { KubeLookup } from "../../sdk/kubernetes.ts";
import { createCache } from "./cache.ts";
import type { CollectorEvent } from "./collector/client.ts";
import { readObject } from "./collector/read-object.ts";
import { createView } from "./view.ts";

/** A cluster as a recording tells of it. */
export interface Recorded {
  /** One line: a collector's event as JSON, alone or under `event`; a text: why it counts for nothing. */
  take(line: string): string | undefined;
  readonly lookup: KubeLookup;
}

/** For rules and fields that are tried without a cluster: what is deleted in the end is gone. */
export const createRecorded = (): Recorded => {
  const cache = createCache({ maxObjects: Number.POSITIVE_INFINITY, graceMs: 0, clock: () => 0 });
  const stream = cache.open();
  return {
    take: (line) => {
      const event = eventOf(line);
      if (!event) return "no event of a collector";
      if (event.reason === "Delete") stream.remove(event.uid);
      else {
        const object = readObject(event);
        if (typeof object === "string") return `no object: its ${object} is not what a collector tells`;
        stream.put(object);
      }
      return undefined;
    },
    lookup: (reference) => createView(cache, reference),
  };
};

const eventOf = (line: string): CollectorEvent | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    const event: unknown = isMap(value) && isMap(value.event) ? value.event : value;
    return isEvent(event) ? event : undefined;
  } catch {
    return undefined;
  }
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const isEvent = (value: unknown): value is CollectorEvent =>
  isMap(value) && [value.reason, value.uid, value.kind].every((part) => typeof part === "string");
