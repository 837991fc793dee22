import type { Output } from "../sdk/output.ts";
import type { AnySource } from "../sdk/source.ts";

/** What every command works with; nothing else reaches the outside. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly outputs: readonly Output[];
  readonly sources: readonly AnySource[];
}

/** Resolves with the exit code. */
export type Command = (args: readonly string[], io: CommandIo) => Promise<number>;

/** A fault in the command line itself: printed with a hint at `--help`, exit code 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
