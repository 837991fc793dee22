import { JsonNode } from "../json/node.ts";
import type { EngineEvent } from "./catalog.ts";
import type { EventMeta, Incoming } from "./event.ts";
import type { KubeLookup, KubeReference, KubeView } from "./kubernetes.ts";

const nothing: EventMeta = Object.freeze({});

/** An event whose text is JSON, as the `ka.*`, `json.*` and `evt.*` fields read it. Made once per event by `openEvent`. */
export class JsonEvent implements EngineEvent {
  readonly source: string;
  readonly num: number;
  readonly text: string;
  readonly cluster: string | undefined;
  readonly meta: EventMeta;
  #time: string | bigint;
  /** null: the text begins with no bracket. */
  #root: JsonNode | null | undefined;
  #auditRoot: JsonNode | null | undefined;
  readonly #lookup: KubeLookup | undefined;
  /** null: nobody knows. */
  #view: KubeView | null | undefined;

  constructor(incoming: Incoming, num: number, arrivedMs: number) {
    this.source = incoming.source;
    this.num = num;
    this.text = incoming.text;
    this.cluster = incoming.cluster;
    this.meta = incoming.meta ?? nothing;
    this.#time = incoming.timeNs ?? BigInt(arrivedMs) * 1_000_000n;
    this.#root = incoming.root;
    this.#lookup = incoming.lookup;
  }

  get timeNs(): bigint {
    if (typeof this.#time === "string") this.#time = BigInt(this.#time);
    return this.#time;
  }

  /** The JSON value; undefined when the text does not begin with a bracket. */
  get root(): JsonNode | undefined {
    if (this.#root === undefined) {
      const first = this.text.charCodeAt(0);
      this.#root = first === 123 || first === 91 ? new JsonNode(this.text, 0, this.text.length, true) : null;
    }
    return this.#root ?? undefined;
  }

  /** What is known of where it happened, which `refers` reads of it; undefined: nobody knows, or it does not say. */
  view(refers: (event: JsonEvent) => KubeReference | undefined): KubeView | undefined {
    if (this.#view === undefined) {
      const reference = this.#lookup && refers(this);
      this.#view = (reference && this.#lookup?.(reference)) ?? null;
    }
    return this.#view ?? undefined;
  }

  /** The JSON value of what is an audit event at all: it has an auditID, whatever its value. */
  get auditRoot(): JsonNode | undefined {
    this.#auditRoot ??= this.root?.has("auditID") ? (this.#root ?? null) : null;
    return this.#auditRoot ?? undefined;
  }
}

/**
 * An event for the rules. `num` counts the events of a source from 1; `arrivedMs` stands in for an event without a time.
 * The text is taken as sources deliver it: one JSON value, found to be JSON, without blanks between its tokens.
 */
export const openEvent = (incoming: Incoming, num: number, arrivedMs: number): JsonEvent =>
  new JsonEvent(incoming, num, arrivedMs);
