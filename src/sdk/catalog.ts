/**
 * The fields that conditions and outputs of one source may name. The engine asks a field at most once per event and
 * bound argument while matching, and only when a condition needs it; what several fields share (the parsed JSON, a
 * looked up sub-tree) is for the event object itself to keep.
 */

/** No value: `undefined`, also for an empty list and for whatever the event has in the wrong shape. Never throws. */
export type FieldResult = string | number | bigint | boolean | readonly string[] | undefined;

/** What an argument was written as: `field[7]` of an index field is a number, everything else text; no brackets: undefined. */
export type FieldArg = string | number | undefined;

/** One field of a catalogue: its name, its type, and how its value is read from an event. */
export interface Field<E> {
  /** As the real plugin spells it: `ka.target.name`. */
  readonly name: string;
  /**
   * `number` is an unsigned 64 bit integer; `abstime`/`reltime` are nanoseconds (`bigint` where a double cannot carry them);
   * `any` is not known and may be a list: every operator and every argument is taken.
   */
  readonly type: "string" | "number" | "bool" | "abstime" | "reltime" | "any";
  /** Values are `readonly string[]`. */
  readonly list: boolean;
  /** Every event has a value of it. */
  readonly always?: true;
  /** One sentence, for `--list`. */
  readonly about: string;
  /** Absent: brackets after the name are a load error. `both`: digits are an index, anything else a key. */
  readonly arg?: { readonly kind: "index" | "key" | "both"; readonly required: boolean };
  get(event: E, arg: FieldArg): FieldResult;
  /** The value as `output_fields` shows it, where it differs from `get` (`evt.time` is nanoseconds there). */
  json?(event: E, arg: FieldArg): FieldResult;
  /** The value as output text shows it, where it differs from `String(get)` (`evt.rawtime.ns` is padded to nine digits). */
  text?(event: E, arg: FieldArg): string | undefined;
  /** Prepares the argument once at load time (a split path, a compiled prefix); absent: `get` is called with it each time. */
  bind?(arg: FieldArg): (event: E) => FieldResult;
  /**
   * Prepares what conditions compare, where that differs from `get`: of JSON text the characters that are meant, whatever
   * escapes it is shown with.
   */
  bindCompared?(arg: FieldArg): (event: E) => FieldResult;
}

/** The fields of the events of one source, by their names. */
export interface FieldCatalog<E> {
  /** The source that rules name: `k8s_audit`. */
  readonly source: string;
  readonly fields: ReadonlyMap<string, Field<E>>;
  /** Names that no list can foresee (the output fields of an alert); asked after `fields`. */
  open?(name: string): Field<E> | undefined;
  /** Whether `open` takes this name although it knows no such field: worth a warning. */
  isDoubtful?(name: string): boolean;
}

/** A catalogue from its fields; a later field of the same name replaces the earlier one. */
export const catalogOf = <E>(source: string, fields: Iterable<Field<E>>): FieldCatalog<E> => ({
  source,
  fields: new Map(Array.from(fields, (field) => [field.name, field])),
});

/** What the generic `evt.*` fields read; every event that rules look at has it. */
export interface EngineEvent {
  readonly source: string;
  /** Counter per opened source, from 1. */
  readonly num: number;
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** The event as its source delivered it (`evt.plugininfo`). */
  readonly text: string;
}
