/** The keys right under a block, without its name: `maxbytes` of `queue.maxbytes`, not `redis.url`; `""`: those in no block. */
export type Block<C, B extends string> = {
  readonly [K in keyof C as K extends `${B extends "" ? "" : `${B}.`}${infer Rest}`
    ? Rest extends `${string}.${string}`
      ? never
      : Rest
    : never]: C[K];
};

/** One block of parsed values: `blockOf(globals, "limits").maxtags` is `limits.maxtags`. */
export const blockOf = <C extends object, const B extends string>(values: C, block: B): Block<C, B> => {
  const start = block === "" ? "" : `${block}.`;
  const entries = Object.entries(values).flatMap(([key, value]) => {
    const rest = key.slice(start.length);
    return key.startsWith(start) && !rest.includes(".") ? [[rest, value]] : [];
  });
  // As in `configOf`: the walk finds what the type names.
  return Object.fromEntries(entries) as Block<C, B>;
};
