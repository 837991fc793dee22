/** The event that a sender posted: which keys it may have, of which types (reference: falcosidekick §1, §5). */
import { type FieldValue, isRawNumber, type Priority, parsePriority } from "../sdk/alert.ts";
import { normaliseTime } from "../sdk/rfc3339.ts";

export interface PostedAlert {
  uuid: string;
  output: string;
  priority: Priority | undefined;
  rule: string;
  time: string;
  source: string;
  hostname: string;
  tags: readonly string[];
  output_fields: Record<string, FieldValue>;
}

/** Takes a value that is not null; answers what is wrong with it. */
type Reader = (value: unknown, into: PostedAlert) => string | undefined;

const textReader =
  (name: "uuid" | "output" | "rule" | "source" | "hostname"): Reader =>
  (value, into) => {
    if (typeof value !== "string") return `${name} is not a string`;
    into[name] = value;
    return undefined;
  };

const isText = (value: unknown): value is string => typeof value === "string";

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["uuid", textReader("uuid")],
  ["output", textReader("output")],
  ["rule", textReader("rule")],
  ["source", textReader("source")],
  ["hostname", textReader("hostname")],
  [
    "priority",
    (value, into) => {
      into.priority = typeof value === "string" ? parsePriority(value) : undefined;
      return into.priority === undefined ? "priority is none of Falco's names" : undefined;
    },
  ],
  [
    "time",
    (value, into) => {
      const time = typeof value === "string" ? normaliseTime(value) : undefined;
      if (time === undefined) return "time is not an RFC 3339 time";
      into.time = time;
      return undefined;
    },
  ],
  [
    "tags",
    (value, into) => {
      if (!Array.isArray(value)) return "tags is not a list";
      if (value.every(isText)) into.tags = value;
      else if (value.every((tag) => tag === null || isText(tag))) into.tags = value.map((tag) => tag ?? "");
      else return "tags holds something that is not a string";
      return undefined;
    },
  ],
  [
    "output_fields",
    (value, into) => {
      if (!isObject(value)) return "output_fields is not an object";
      into.output_fields = value as Record<string, FieldValue>;
      return undefined;
    },
  ],
]);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);

const noTags: readonly string[] = Object.freeze([]);

/** Keys fit in any case, as they do for Go: `ſ` folds to `s` there. */
const readerOf = (key: string): Reader | undefined =>
  readers.get(key) ?? (key.length < 14 ? readers.get(key.toLowerCase().replaceAll("ſ", "s")) : undefined);

/** What was posted, or why it is no alert. Null stands for an absent key; keys that mean nothing here are ignored. */
export const readPosted = (value: unknown): PostedAlert | string => {
  if (!isObject(value)) return "an alert is a JSON object";
  const posted: PostedAlert = {
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
    const fault = item === null ? undefined : readerOf(key)?.(item, posted);
    if (fault !== undefined) return fault;
  }
  if (posted.priority === undefined) return "priority is missing";
  if (posted.rule === "") return "rule is missing";
  if (posted.time === "") return "time is missing";
  return posted;
};
