import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { privateFolder } from "../queue/private-files.ts";
import type { Checkpoint } from "../sdk/source.ts";

/** One small JSON file per source, replaced in one step, in a folder that is the owner's alone. */
export const fileCheckpoint = (dir: string, id: string): Checkpoint => {
  const file = join(dir, `${encodeURIComponent(id)}.json`);
  const textOf = (): string | undefined => {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  };
  const read = (text: string | undefined): Record<string, string> | undefined => {
    if (text === undefined) return {};
    try {
      return Object(JSON.parse(text)) as Record<string, string>;
    } catch {
      return undefined;
    }
  };
  let made = existsSync(dir);
  if (made) privateFolder(dir);
  return {
    get: async (key) => {
      const text = textOf();
      const values = read(text);
      // A damaged file is handed on as it is: its source will not understand it, and say so.
      return values ? values[key] : text;
    },
    set: async (key, value) => {
      if (!made) privateFolder(dir);
      made = true;
      const values = JSON.stringify({ ...read(textOf()), [key]: value });
      writeFileSync(`${file}.new`, values, { flush: true, mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
};
