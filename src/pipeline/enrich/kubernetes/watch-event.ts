import { statusFault, Unreadable } from "./api.ts";
import { mapOf } from "./read-object.ts";

/** A line of a watch. `version`: where a watch that follows begins. */
export interface WatchEvent {
  readonly what: "put" | "remove" | "bookmark";
  readonly object: unknown;
  readonly version: string;
}

const meanings: Readonly<Record<string, WatchEvent["what"]>> = {
  ADDED: "put",
  MODIFIED: "put",
  DELETED: "remove",
  BOOKMARK: "bookmark",
};

/** Throws ApiFault with the status of an ERROR, Unreadable for what is no event. */
export const readWatchEvent = (line: string): WatchEvent => {
  const { type, object } = mapOf(parsed(line));
  const { metadata, code } = mapOf(object);
  if (type === "ERROR") throw statusFault(typeof code === "number" ? code : 500);
  const what = typeof type === "string" && Object.hasOwn(meanings, type) ? meanings[type] : undefined;
  const { resourceVersion: version } = mapOf(metadata);
  if (!what || typeof version !== "string" || version === "") throw new Unreadable("a line of its watch is no event");
  return { what, object, version };
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Unreadable("a line of its watch is no JSON", { cause });
  }
};
