/** Which fields of a document Elasticsearch or OpenSearch does not take, read from the words in which it says so. */

interface Refusal {
  readonly type?: unknown;
  readonly reason?: unknown;
  readonly caused_by?: Refusal;
}

/**
 * The first name that a refusal gives is that of the field: `failed to parse field [output_fields.a.b] of type [long]`,
 * `mapper [output_fields.a] cannot be changed from type [long] to [text]`, `can't merge a non object mapping
 * [output_fields.a] with an object mapping`, `Could not dynamically add mapping for field [output_fields.a.b]. Existing
 * mapping for [output_fields.a] must be of type object`. Brackets within a name are pairs (`proc.aname[2]`).
 */
const patterns: readonly RegExp[] = [
  /\[output_fields\.((?:[^[\]]|\[[^[\]]*\])+)\]/,
  /dynamic introduction of \[((?:[^[\]]|\[[^[\]]*\])+)\] within \[output_fields\]/,
  /immense term in field="output_fields\.([^"]+)"/,
];

/** Deeper causes repeat what was said. */
const deepest = 5;

/** Paths within `output_fields`, as the server names them. */
export const refusedFields = (error: Refusal | undefined): readonly string[] => {
  const found = new Set<string>();
  let refusal = error;
  for (let depth = 0; refusal && depth < deepest; depth += 1, refusal = refusal.caused_by) {
    const { reason } = refusal;
    if (typeof reason !== "string") continue;
    for (const pattern of patterns) {
      const path = pattern.exec(reason)?.[1];
      if (path) found.add(path);
    }
  }
  return [...found];
};

/** What a server says without the document's own values and id. */
export const withoutValues = (words: string): string =>
  words
    .replaceAll(/\.? Preview of field's value: '.*?'(?=;|:|$)/g, "")
    .replaceAll(/ in document with id '[^']*'/g, "")
    .replaceAll(/:? For input string: ".*?"(?=;|:|$)/g, "");
