import type { JsonNode } from "../json/node.ts";

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
  /** The text's value, already indexed: spares the rules a pass over it. Never stored; holds the payload it came in. */
  readonly root?: JsonNode;
}
