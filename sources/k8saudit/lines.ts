/** Cuts a stream of bytes into lines of any length. */
export interface LineCutter {
  /** The lines that the chunk completes, without `\n` and a `\r` before it. */
  push(chunk: Buffer): readonly Buffer[];
  /** Bytes of the line that has no end yet. */
  readonly pending: number;
  /** The last line, which no newline ends; undefined when there is none. */
  end(): Buffer | undefined;
}

export const createLineCutter = (): LineCutter => {
  let parts: Buffer[] = [];
  let pending = 0;
  const finish = (last: Buffer): Buffer => {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    pending = 0;
    return line.at(-1) === 13 ? line.subarray(0, -1) : line;
  };
  return {
    push(chunk) {
      const lines: Buffer[] = [];
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        lines.push(finish(chunk.subarray(from, end)));
        from = end + 1;
      }
      if (from < chunk.length) {
        // A copy: the chunk's memory may be used anew.
        parts.push(Buffer.from(chunk.subarray(from)));
        pending += chunk.length - from;
      }
      return lines;
    },
    get pending() {
      return pending;
    },
    end() {
      return pending === 0 ? undefined : finish(Buffer.alloc(0));
    },
  };
};
