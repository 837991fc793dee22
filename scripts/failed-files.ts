/** A reporter for node:test: the files in which a test failed, a line each. */

interface Happening {
  readonly type: string;
  readonly data: { readonly file?: string };
}

export default async function* failedFiles(happenings: AsyncIterable<Happening>): AsyncGenerator<string> {
  const told = new Set<string>();
  for await (const { type, data } of happenings) {
    if (type !== "test:fail" || data.file === undefined || told.has(data.file)) continue;
    told.add(data.file);
    yield `${data.file}\n`;
  }
}
