import type { Checkpoint } from "../../src/sdk/source.ts";
import type { FileReader } from "./file-reader.ts";
import { type LateLines, watchLateLines } from "./late-lines.ts";
import { type Mark, readMarks, writeMarks } from "./mark.ts";

/** Files read before the current one that are known again. */
const marksKept = 4;

/** How far a followed file was read, and those that had its name before; all of it is in the checkpoint. */
export interface Progress {
  /** Where an earlier reader was; empty: there was none. `damaged`: the checkpoint cannot be read. */
  load(): Promise<readonly Mark[] | "damaged">;
  /** Files read before the current one, that of the late lines left out. */
  readonly done: readonly Mark[];
  reset(done: readonly Mark[]): void;
  /** Resolves when the checkpoint says so, with the mark of the current file behind the others. */
  save(current?: Mark): Promise<void>;
  /** Goes on looking at a file that was replaced. */
  watch(reader: FileReader, mark: Mark): void;
  /** Takes what came to that file since. `over`: for the last time. */
  look(over: boolean): Promise<void>;
  /** The latest of `done`, and the current file. */
  latest(current: Mark): readonly Mark[];
  close(): Promise<void>;
}

export const createProgress = (key: string, checkpoint: Checkpoint): Progress => {
  let done: readonly Mark[] = [];
  let late: LateLines | undefined;
  /** How far lines are stored, and what the checkpoint says. */
  let reached = "";
  let saved: string | undefined;
  return {
    load: async () => {
      const text = reached || (await checkpoint.get(key));
      return text ? (readMarks(text) ?? "damaged") : [];
    },
    get done() {
      return done;
    },
    reset: (marks) => {
      done = marks;
    },
    save: async (current) => {
      reached = writeMarks([...done, ...(late ? [late.mark] : []), ...(current ? [current] : [])]);
      if (reached === saved) return;
      await checkpoint.set(key, reached);
      saved = reached;
    },
    watch: (reader, mark) => {
      late = watchLateLines(reader, mark);
    },
    look: async (over) => {
      if (!late || !(await late.look(over))) return;
      done = [...done, late.mark].slice(-marksKept);
      late = undefined;
    },
    latest: (current) => [...done.slice(-marksKept), current],
    close: async () => {
      await late?.close();
      late = undefined;
    },
  };
};
