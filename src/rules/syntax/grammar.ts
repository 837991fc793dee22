/** Words of the condition language, in the order in which Falco tries and lists them. */
export const unaryOperators: readonly string[] = ["exists"];
export const numericOperators: readonly string[] = ["<=", "<", ">=", ">"];
export const stringOperators: readonly string[] = [
  "==",
  "=",
  "!=",
  "glob",
  "iglob",
  "contains",
  "icontains",
  "bcontains",
  "startswith",
  "bstartswith",
  "endswith",
  "regex",
];
export const listOperators: readonly string[] = ["intersects", "in", "pmatch"];
export const operators: readonly string[] = [
  ...unaryOperators,
  ...numericOperators,
  ...stringOperators,
  ...listOperators,
];
/** After a string operator, before a list: how many of the values must match. */
export const modifiers: readonly string[] = ["oneof", "anyof", "allof"];
/** `val` only stands right of an operator. */
export const transformers: readonly string[] = [
  "tolower",
  "toupper",
  "b64",
  "basename",
  "len",
  "join",
  "concat",
  "getopt",
];
export const rightTransformers: readonly string[] = ["val", ...transformers];

export const identifierPattern = "([a-zA-Z]+[a-zA-Z0-9_]*)";
export const barePattern = "([^()\"'[:space:]=,]+)";

/** How deep a condition may nest; every level of the grammar counts. */
export const maximumDepth = 1000;
