import { skipBlank, skipValue } from "../json/grammar.ts";
import { JsonNode } from "../json/node.ts";
import { readJson } from "../json/read.ts";
import type { Incoming } from "../sdk/event.ts";
import { compactEvent } from "./spelling.ts";
import { TimeError, unixTime } from "./time.ts";

/** What rules call the source of audit events. */
export const auditSource = "k8s_audit";

export interface PayloadLimits {
  /** Of one event, in bytes of UTF-8 after blanks between tokens are gone. */
  readonly maxEventBytes: number;
  /** The cluster that the events are said to come from. */
  readonly cluster?: string;
  /** What rules call their source, where that is another kind than audit events as such. */
  readonly source?: string;
  /** Of one payload; one that holds more is refused whole. Absent: any number. */
  readonly maxEvents?: number;
}

/** kube-apiserver sends 400 at once unless told otherwise; millions of `{}` must not become millions of objects. */
export const mostEvents = 100_000;

/** Why a part of a payload can never be taken: a closed list, fit for a metric label. */
export type DropReason = "not_json" | "not_an_event" | "no_time" | "bad_time" | "too_large" | "too_many";

export interface Dropped {
  /** Position among everything in the payload that should be an event, from 0. */
  readonly index: number;
  readonly reason: DropReason;
  /** For people; holds nothing of the event. */
  readonly message: string;
  /** The event's own id, at most 64 characters: clients may choose it. */
  readonly auditID?: string;
}

export interface Payload {
  /** In the order of the text. */
  readonly events: readonly Incoming[];
  readonly dropped: readonly Dropped[];
}

interface Sink extends PayloadLimits {
  readonly events: Incoming[];
  readonly dropped: Dropped[];
  tooMany: boolean;
}

/** Levels of an event whose members are indexed while it is checked: those that most fields lie in. */
const eventLevels = 2;
/** An EventList and its items stand above. */
const listLevels = 2 + eventLevels;

/**
 * The audit events of a text: an Event, an EventList, arrays of them, or several such values after each other. What is
 * no event is dropped alone; text that is not JSON ends the reading. A text without any value is not JSON.
 */
export const splitPayload = (text: string, limits: PayloadLimits): Payload => {
  const sink: Sink = { ...limits, events: [], dropped: [], tooMany: false };
  const slashes = { next: -1 };
  let at = 0;
  do {
    const node = readJson(text, at, text.startsWith('{"kind":"Event",', at) ? eventLevels : listLevels, slashes);
    if (!node) {
      drop(sink, "not_json", `not JSON (value that starts at character ${at + 1} of ${text.length})`);
      break;
    }
    take(node, sink);
    at = skipBlank(text, node.end);
  } while (at < text.length && !sink.tooMany);
  if (sink.tooMany)
    return { events: [], dropped: [{ index: 0, reason: "too_many", message: "too many events at once" }] };
  return { events: sink.events, dropped: sink.dropped };
};

const take = (node: JsonNode, sink: Sink): void => {
  if (node.kind === "array") {
    if (hasRoom(node.size, sink))
      for (let i = 0; i < node.size && !sink.tooMany; i++) {
        const item = node.at(i) as JsonNode;
        if (item.kind === "array") takeNested(item, sink);
        else take(item, sink);
      }
    return;
  }
  if (!hasRoom(1, sink)) return;
  const kind = node.get("kind");
  const name = kind?.kind === "string" ? kind.asText() : undefined;
  const items = name === "EventList" ? node.get("items") : undefined;
  if (name === "Event") takeEvent(node, sink, true);
  else if (items?.kind === "array" && items.size > 0) {
    if (hasRoom(items.size, sink)) for (let i = 0; i < items.size; i++) takeEvent(items.at(i) as JsonNode, sink, false);
  } else drop(sink, "not_an_event", "data not recognized as a k8s audit event", node);
};

/** What lies in an array of an array, however deep: an index for each level would read the text as often. */
const takeNested = ({ text, start, end, solid }: JsonNode, sink: Sink): void => {
  for (let at = start + 1; at < end && !sink.tooMany; ) {
    const c = text.charCodeAt(at);
    if (c === 91 || c === 93 || c === 44 || c <= 32) {
      at++;
      continue;
    }
    const stop = skipValue(text, at);
    take(new JsonNode(text, at, stop, solid), sink);
    at = stop;
  }
};

const hasRoom = (more: number, sink: Sink): boolean => {
  const { maxEvents = Number.POSITIVE_INFINITY, events, dropped } = sink;
  if (events.length + dropped.length + more > maxEvents) sink.tooMany = true;
  return !sink.tooMany;
};

type Fault = Pick<Dropped, "reason" | "message">;

const takeEvent = (node: JsonNode, sink: Sink, kindRead: boolean): void => {
  const event = readEvent(node, sink, kindRead);
  if ("reason" in event) drop(sink, event.reason, event.message, node);
  else sink.events.push(event);
};

/** `kindRead`: the value's own kind was looked at, which its spelling may show (see spelling.ts). */
const readEvent = (node: JsonNode, limits: PayloadLimits, kindRead: boolean): Incoming | Fault => {
  const named = timeNames.find((name) => node.get(name));
  if (named === undefined) return { reason: "no_time", message: "can't read stageTimestamp" };
  const time = timeOf(node.get(named) as JsonNode, named);
  if (time instanceof TimeError) return { reason: "bad_time", message: time.message };
  const raw = node.compact();
  const text = compactEvent(node, raw, kindRead ? ["kind", named] : [named]);
  const { maxEventBytes, cluster, source = auditSource } = limits;
  const bytes = text.length * 3 <= maxEventBytes ? 0 : Buffer.byteLength(text);
  if (bytes > maxEventBytes)
    return { reason: "too_large", message: `event larger than ${maxEventBytes} bytes: ${bytes}` };
  return {
    source,
    text,
    ...(time !== undefined && { timeNs: time }),
    ...(cluster && { cluster }),
    ...(node.solid && text === raw && { root: node }),
  };
};

/** Where an event's time is looked for, in this order: what is older than audit.k8s.io/v1, or was shortened, lacks the first. */
const timeNames = ["stageTimestamp", "timestamp", "requestReceivedTimestamp"] as const;

const timeOf = (stamp: JsonNode, name: string): string | undefined | TimeError => {
  try {
    return unixTime(stamp.kind === "string" ? stamp.asText() : "", name);
  } catch (error) {
    if (error instanceof TimeError) return error;
    throw error;
  }
};

const drop = (sink: Sink, reason: DropReason, message: string, node?: JsonNode): void => {
  const id = node?.get("auditID");
  const auditID = id?.kind === "string" ? id.asText().slice(0, 64) : undefined;
  sink.dropped.push({
    index: sink.events.length + sink.dropped.length,
    reason,
    message,
    ...(auditID !== undefined && { auditID }),
  });
};
