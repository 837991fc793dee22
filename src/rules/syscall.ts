import type { Field, FieldCatalog } from "../sdk/catalog.ts";

/**
 * The source of kernel events, which this engine never sees. Rules files that hold such rules still load: their fields are
 * taken on trust, by the families that Falco has.
 */
const families =
  /^(?:container|evt|fd|fdlist|fs|group|k8s|k8smeta|mesos|proc|span|syslog|thread|tracer|user|span)\.[a-z]/;

const trusted = (name: string): Field<unknown> => ({
  name,
  type: "string",
  list: false,
  about: "A field of kernel events.",
  arg: { kind: "both", required: false },
  get: () => undefined,
});

export const syscallCatalog: FieldCatalog<unknown> = {
  source: "syscall",
  fields: new Map(),
  open: (name) => (families.test(name) ? trusted(name) : undefined),
};
