import type { Field, FieldCatalog } from "../../sdk/catalog.ts";
import { isKernelField } from "./kernel-fields.ts";

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

/** Fields of audit events: in a rule for kernel events they tell that its `source` was forgotten. */
const elsewhere = /^(?:ka|jevt|json)\./;

export const syscallCatalog: FieldCatalog<unknown> = {
  source: "syscall",
  fields: new Map(),
  open: (name) => (elsewhere.test(name) ? undefined : trusted(name)),
  isDoubtful: (name) => !elsewhere.test(name) && !isKernelField(name),
};
