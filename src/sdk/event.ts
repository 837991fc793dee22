import type { JsonNode } from "../json/node.ts";
import type { KubeLookup } from "./kubernetes.ts";

/** What is known of an event beside what it says, by names such as `cloud.account`: a source or a stage adds to it. */
export type EventMeta = Readonly<Record<string, string>>;

/** An audit event on its way to the rules: the JSON text it came as, and what the source knows of it. */
export interface Incoming {
  /** The source's name as rules use it: `k8s_audit`. */
  readonly source: string;
  /** One JSON value as it was received, blanks between its tokens removed. */
  readonly text: string;
  /** Event time, nanoseconds since the epoch as decimal text; absent: time of arrival. */
  readonly timeNs?: string;
  /** The cluster a listener stands for, when configured. */
  readonly cluster?: string;
  /** Stored with the event. No part of what the event is: two that differ in nothing else are one. */
  readonly meta?: EventMeta;
  /** Who knows the cluster that it happened in. Never stored. */
  readonly lookup?: KubeLookup;
  /** The text's value, already indexed: spares the rules a pass over it. Never stored; holds the payload it came in. */
  readonly root?: JsonNode;
}
