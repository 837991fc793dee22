/** Cuts a stream of bytes into lines. */
export interface LineCutter {
  /** The lines that the chunk completes, without `\n` and a `\r` before it. */
  push(chunk: Buffer): readonly Buffer[];
  /** Bytes of the line that has no end yet. */
  readonly pending: number;
  /** The last line, which no newline ends; undefined when there is none, or `accept` does not want it: it stays. */
  end(accept?: (line: Buffer) => boolean): Buffer | undefined;
}

/** In place of a line that was longer than it may be. */
export const tooLong: Buffer = Buffer.from("too long");

/** A line of more than `maxBytes` is not kept in memory; `tooLong` stands for it. */
export const createLineCutter = (maxBytes = Number.POSITIVE_INFINITY): LineCutter => {
  let parts: Buffer[] = [];
  let pending = 0;
  const finish = (last: Buffer): Buffer => {
    const line =
      pending + last.length > maxBytes ? tooLong : parts.length === 0 ? last : Buffer.concat([...parts, last]);
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
        pending += chunk.length - from;
        // A copy: the chunk's memory may be used anew.
        if (pending <= maxBytes) parts.push(Buffer.from(chunk.subarray(from)));
        else parts = [];
      }
      return lines;
    },
    get pending() {
      return pending;
    },
    end(accept) {
      if (pending === 0 || (accept && !accept(Buffer.concat(parts)))) return undefined;
      return finish(Buffer.alloc(0));
    },
  };
};
