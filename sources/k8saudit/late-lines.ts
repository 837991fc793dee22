import type { FileReader } from "./file-reader.ts";
import type { Mark } from "./mark.ts";

/** Looks at a file after its name has passed on: its writer may not have noticed yet. */
const mostLooks = 40;

/** What is still written to a file that was rotated. */
export interface LateLines {
  readonly mark: Mark;
  /** Takes what came; true: this was the last time, its last line is taken as it is and the file closed. */
  look(over: boolean): Promise<boolean>;
  close(): Promise<void>;
}

export const watchLateLines = (reader: FileReader, from: Mark): LateLines => {
  let mark = from;
  let looks = 0;
  return {
    get mark() {
      return mark;
    },
    look: async (over) => {
      let got = await reader.read();
      while (got !== "cut" && got > 0) {
        looks = 0;
        got = await reader.read();
      }
      const last = over || got === "cut" || ++looks > mostLooks;
      if (last) await reader.end();
      mark = await reader.mark();
      if (last) await reader.close();
      return last;
    },
    close: () => reader.close(),
  };
};
