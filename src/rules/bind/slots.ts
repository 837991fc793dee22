import type { Field, FieldArg, FieldCatalog, FieldResult } from "../../sdk/catalog.ts";

/** A field with its argument, read by number. */
export interface BoundField<E> {
  readonly field: Field<E>;
  readonly arg: FieldArg;
  /** As it is written in output: `ka.uri.param[dryRun]`. */
  readonly title: string;
  readonly read: (event: E) => FieldResult;
  /** What conditions see of it. */
  readonly compared: (event: E) => FieldResult;
}

/** The fields that the rules of one source use, each once. */
export interface Slots<E> {
  readonly catalog: FieldCatalog<E>;
  readonly bound: readonly BoundField<E>[];
  /** The number of the field; throws FieldFault when there is no such field or its argument does not suit. */
  bind(name: string, arg: string | undefined): number;
}

/** A field cannot be used as written; the message is Falco's. */
export class FieldFault extends Error {
  override readonly name = "FieldFault";
}

export const createSlots = <E>(catalog: FieldCatalog<E>): Slots<E> => {
  const bound: BoundField<E>[] = [];
  const numbers = new Map<string, number>();
  return {
    catalog,
    bound,
    bind: (name, arg) => {
      const title = arg ? `${name}[${arg}]` : name;
      const known = numbers.get(title);
      if (known !== undefined) return known;
      const made = bindField(catalog, name, arg || undefined, title);
      numbers.set(title, bound.length);
      bound.push(made);
      return bound.length - 1;
    },
  };
};

/** Whether the catalogue only takes the name on trust. */
export const isDoubtful = <E>({ fields, isDoubtful }: FieldCatalog<E>, name: string): boolean =>
  !fields.has(name) && isDoubtful?.(name) === true;

export const bindField = <E>(
  catalog: FieldCatalog<E>,
  name: string,
  written: string | undefined,
  title: string,
): BoundField<E> => {
  const field = catalog.fields.get(name) ?? catalog.open?.(name);
  if (field === undefined) throw new FieldFault(`filter_check called with nonexistent field ${title}`);
  const arg = checkArgument(field, written, title);
  const read = field.bind?.(arg) ?? ((event: E) => field.get(event, arg));
  return { field, arg, title, read, compared: field.bindCompared?.(arg) ?? read };
};

const checkArgument = <E>(field: Field<E>, written: string | undefined, title: string): FieldArg => {
  const { name, arg, type } = field;
  if (type === "any") return written;
  if (written === undefined) {
    if (arg?.required) throw new FieldFault(`filter '${title}': ${name} requires an argument but none provided`);
    return undefined;
  }
  // Falco puts the name together again without quotes, so blanks and brackets cannot be part of an argument.
  if (/[\s[\]]/.test(written) || /^(?:evt|static)\./.test(name))
    throw new FieldFault(`filter_check called with nonexistent field ${title}`);
  if (arg === undefined)
    throw new FieldFault(
      `filter '${title}': ${name} does not allow nor require an argument but one is provided: ${written}`,
    );
  const digits = /^\d+$/.test(written);
  if (arg.kind === "key" || (arg.kind === "both" && !digits)) return written;
  const complaint = !digits
    ? "not composed only by digits"
    : written.length > 1 && written.startsWith("0")
      ? "starting with 0"
      : BigInt(written) > 0xffff_ffff_ffff_ffffn
        ? "not representable on 64 bit"
        : undefined;
  if (complaint !== undefined)
    throw new FieldFault(`filter ${title} ${name} has an invalid index argument ${complaint}: ${written}`);
  return Number(written);
};
