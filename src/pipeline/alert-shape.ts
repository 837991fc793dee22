/** The event that a sender posted: which keys it may have, of which types (reference: falcosidekick §1, §5). */
import { type FieldValue, isRawNumber, type Priority, parsePriority } from "../sdk/alert.ts";
import { normaliseTime } from "../sdk/rfc3339.ts";

/** What was posted, each key there; it is taken over and changed on its way to an alert. */
export interface PostedAlert {
  uuid: string;
  output: string;
  priority: Priority;
  rule: string;
  time: string;
  source: string;
  hostname: string;
  tags: readonly string[];
  output_fields: Record<string, FieldValue>;
}

/** While it is read. */
type Draft = Omit<PostedAlert, "priority"> & { priority: Priority | undefined };

const hasPriority = (draft: Draft): draft is PostedAlert => draft.priority !== undefined;

const isText = (value: unknown): value is string => typeof value === "string";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);

const noTags: readonly string[] = Object.freeze([]);

const tagsOf = (value: unknown): readonly string[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  if (value.every(isText)) return value;
  return value.every((tag) => tag === null || isText(tag)) ? value.map((tag) => tag ?? "") : undefined;
};

const names: ReadonlySet<string> = new Set([
  "uuid",
  "output",
  "rule",
  "source",
  "hostname",
  "priority",
  "time",
  "tags",
  "output_fields",
]);

/** Keys fit in any case, as they do for Go: `ſ` folds to `s` there. */
const nameOf = (key: string): string =>
  names.has(key) || key.length > 13 ? key : key.toLowerCase().replaceAll("ſ", "s");

/** Takes a value that is not null; answers what is wrong with it. */
const readKey = (key: string, value: unknown, into: Draft): string | undefined => {
  switch (key) {
    case "uuid":
    case "output":
    case "rule":
    case "source":
    case "hostname":
      if (typeof value !== "string") return `${key} is not a string`;
      into[key] = value;
      return undefined;
    case "priority":
      into.priority = typeof value === "string" ? parsePriority(value) : undefined;
      return into.priority === undefined ? "priority is none of Falco's names" : undefined;
    case "time": {
      const time = typeof value === "string" ? normaliseTime(value) : undefined;
      if (time === undefined) return "time is not an RFC 3339 time";
      into.time = time;
      return undefined;
    }
    case "tags": {
      const tags = tagsOf(value);
      if (tags === undefined) {
        return Array.isArray(value) ? "tags holds something that is not a string" : "tags is not a list";
      }
      into.tags = tags;
      return undefined;
    }
    case "output_fields":
      if (!isObject(value)) return "output_fields is not an object";
      into.output_fields = value as Record<string, FieldValue>;
      return undefined;
    default:
      return undefined;
  }
};

/** What was posted, or why it is no alert. Null stands for an absent key; keys that mean nothing here are ignored. */
export const readPosted = (value: unknown): PostedAlert | string => {
  if (!isObject(value)) return "an alert is a JSON object";
  const posted: Draft = {
    uuid: "",
    output: "",
    priority: undefined,
    rule: "",
    time: "",
    source: "",
    hostname: "",
    tags: noTags,
    output_fields: {},
  };
  for (const key of Object.keys(value)) {
    const item = value[key];
    const fault = item === null ? undefined : readKey(nameOf(key), item, posted);
    if (fault !== undefined) return fault;
  }
  if (!hasPriority(posted)) return "priority is missing";
  if (posted.rule === "") return "rule is missing";
  if (posted.time === "") return "time is missing";
  return posted;
};
