import type { Field, FieldCatalog } from "../../sdk/catalog.ts";
import { isKernelFamily, isKernelField } from "./kernel-fields.ts";

/**
 * The source of kernel events, which this engine never sees. Rules files that hold such rules still load: their fields are
 * taken on trust, whatever their type, because plugins add more of them and Falco's next version has others.
 */
const trusted = (name: string): Field<unknown> => ({
  name,
  type: "any",
  list: false,
  about: "A field of kernel events.",
  get: () => undefined,
});

/** What rules for kernel events name, or say nothing of. */
export const syscallSource = "syscall";

/** `others`: names of the fields of other events. Those families in a rule for kernel events tell that its `source` was forgotten. */
export const syscallCatalog = (others: Iterable<string>): FieldCatalog<unknown> => {
  const foreign = new Set(Array.from(others, familyOf).filter((family) => !isKernelFamily(family)));
  const isElsewhere = (name: string): boolean => foreign.has(familyOf(name));
  return {
    source: syscallSource,
    fields: new Map(),
    open: (name) => (isElsewhere(name) ? undefined : trusted(name)),
    isDoubtful: (name) => !isElsewhere(name) && !isKernelField(name),
  };
};

const familyOf = (name: string): string => name.slice(0, name.indexOf(".") + 1);
