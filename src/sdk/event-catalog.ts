import type { FieldCatalog } from "./catalog.ts";
import type { Incoming } from "./event.ts";
import type { JsonEvent } from "./json-event.ts";
import type { KubeReference } from "./kubernetes.ts";

/** What was found in a text: events in its order, and words for people about what can never be one. */
export interface EventsOfText {
  readonly events: readonly Incoming[];
  readonly dropped: readonly { readonly message: string }[];
}

/** The events of one kind: the fields that rules may ask of them, and what else rules and commands need to know. */
export interface EventCatalog extends FieldCatalog<JsonEvent> {
  /** The events of one line of a file, for the commands that read one. `maxEventBytes`: of one event. */
  split(text: string, limits: { readonly maxEventBytes: number }): EventsOfText;
  /** Told of each event before its rules are tried, in the order of judging. Must not throw. */
  seen?(event: JsonEvent): void;
  /** Where in a cluster an event happened, for what is known of that. Must not throw. */
  refers?(event: JsonEvent): KubeReference | undefined;
  /** Path of the rules that apply where none are named. */
  readonly rules?: string;
  /** Keys that an event in a test of rules need not write, with what they then hold. */
  readonly blank?: Readonly<Record<string, unknown>>;
}
