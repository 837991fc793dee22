import { envName } from "./environment.ts";
import type { Place } from "./problem.ts";

/** Where the keys of an instance stand. */
export interface Placed {
  readonly id: string;
  /** Start of its keys in messages: `slack.`. */
  readonly label: string;
  readonly places: ReadonlyMap<string, Place>;
  /** Of the item of a list, or of what asked for it. */
  readonly at?: Place | undefined;
}

/**
 * What an output's or a source's own check says, `key: what`: told under that key, where it stands, else where its block
 * stands in the file, else by the key's own variable, never by that of another.
 */
export const told = (
  text: string,
  instance: Placed,
  fields: object,
): [key: string, message: string, at: Place | undefined] => {
  const { label, places, id } = instance;
  const key = /^`?([a-z0-9.]+)`?/.exec(text)?.[1] ?? "";
  const known = key in fields;
  const message = known ? text.slice(text.indexOf(key) + key.length).replace(/^`?:?\s*/, "") : text;
  const block = instance.at ?? places.values().find((place) => place.env === undefined);
  const variable = known && !block ? { env: envName(`${id}.${key}`) } : undefined;
  return [known ? label + key : label.slice(0, -1), message, places.get(key) ?? block ?? variable];
};
