import { createLineIntake, maxLineBytes } from "../../src/audit/line-intake.ts";
import type { PayloadLimits } from "../../src/audit/payload.ts";
import type { SourceHost } from "../../src/sdk/source.ts";
import { chunkBytes, openFileReader } from "./file-reader.ts";
import type { Remainder } from "./locate.ts";
import type { Mark } from "./mark.ts";
import type { Progress } from "./progress.ts";
import { readCompressed } from "./read-compressed.ts";
import { openFound } from "./rotated.ts";

/** Read between two checkpoints where there is much to read. */
export const savedBytes = 16 * chunkBytes;

export type FollowHost = Pick<SourceHost, "push" | "drop" | "gap" | "log" | "checkpoint">;

/** What whoever follows a file works with. */
export interface Following {
  readonly limits: PayloadLimits;
  readonly host: FollowHost;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Says and counts a place where events may be missing. */
export const tellGap = ({ host }: Following, what: string, file: string): void => {
  host.gap?.();
  host.log.error({ file, lostBytes: "unknown" }, `audit events may be missing: ${what}`);
};

/** Reads what a rotated file has left, its last line too. Throws Rotating. */
export const finishRotated = async (following: Following, { file, from }: Remainder): Promise<void> => {
  const { limits, host, signal, progress } = following;
  const intake = createLineIntake(host, limits, file.path, signal);
  const maxLine = maxLineBytes(limits);
  host.log.info({ file: file.path, offset: from?.offset ?? 0 }, "reading a rotated file to its end");
  const others = progress.done.filter((one) => one !== from);
  const keep = (mark: Mark): Promise<void> => {
    progress.reset([...others, mark]);
    return progress.save();
  };
  if (file.gzip) {
    const read = await readCompressed(file, from, intake, maxLine);
    if (read.fault !== undefined) tellGap(following, `the compressed file is broken (${read.fault})`, file.path);
    return keep(read.mark);
  }
  const opened = await openFound(file.path, file.inode);
  const reader = await openFileReader(opened, from ?? { offset: 0, line: 1 }, intake, maxLine);
  try {
    let unsaved = 0;
    let got = await reader.read();
    for (; got !== "cut" && got > 0 && !signal.aborted; got = await reader.read()) {
      unsaved += got;
      if (unsaved < savedBytes) continue;
      await keep(await reader.mark());
      unsaved = 0;
    }
    if (got === "cut") tellGap(following, "the rotated file was cut while it was read", file.path);
    if (!signal.aborted) await reader.end();
    await keep(await reader.mark());
  } finally {
    await reader.close();
  }
};
