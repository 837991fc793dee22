import type { LineIntake } from "../../src/audit/line-intake.ts";
import { createLineCutter } from "../../src/audit/lines.ts";
import { unzipped } from "../../src/audit/unzip.ts";
import { createEnds, type Mark, printsOf } from "./mark.ts";
import { openFound, type Rotated } from "./rotated.ts";

/**
 * Takes the lines of a compressed file behind the mark, the last one too; resolves with the mark of its end, and of what
 * could be read with the fault when the gzip is broken. Throws Rotating.
 */
export const readCompressed = async (
  file: Rotated,
  from: Mark | undefined,
  intake: LineIntake,
  maxLine: number,
): Promise<{ readonly mark: Mark; readonly fault?: string }> => {
  const start = from?.offset ?? 0;
  const cutter = createLineCutter(maxLine);
  const ends = createEnds();
  let line = from?.line ?? 1;
  let fault: string | undefined;
  intake.restart(line);
  const take = async (text: Buffer): Promise<void> => {
    line++;
    await intake.line(text);
  };
  const opened = await openFound(file.path, file.inode);
  const chunks = unzipped(opened.createReadStream());
  for (;;) {
    const next = await chunks.next().catch((error: Error) => {
      fault = error.message;
    });
    if (!next || next.done) break;
    const chunk = next.value;
    const fresh = chunk.subarray(Math.min(chunk.length, Math.max(0, start - ends.seen())));
    ends.add(chunk);
    for (const text of cutter.push(fresh)) await take(text);
  }
  const last = cutter.end();
  if (last) await take(last);
  await intake.flush();
  const { head, tail } = ends.bytes();
  const { inode, modifiedMs } = file;
  const mark = { inode, offset: ends.seen(), line, seen: ends.seen(), modifiedMs, prints: printsOf(head, tail) };
  return { mark, ...(fault !== undefined && { fault }) };
};
