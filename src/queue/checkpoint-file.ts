import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "./lease.ts";
import { privateFolder } from "./private-files.ts";

/** One small JSON file by this name, replaced in one step, in a folder that is the owner's alone. Writes go one after the other. */
export const fileCheckpoint = (dir: string, name: string): Checkpoint => {
  const file = join(dir, `${name}.json`);
  let made = false;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
  const write = async (values: Readonly<Record<string, string>>): Promise<void> => {
    if (!made) privateFolder(dir);
    made = true;
    const fresh = await open(`${file}.new`, "w", 0o600);
    try {
      await fresh.writeFile(JSON.stringify(values));
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(`${file}.new`, file);
  };
  return {
    get: (key) =>
      inTurn(async () => {
        const text = await textOf(file);
        const values = valuesIn(text);
        // A damaged file is handed on as it is: its source will not understand it, and say so.
        return values ? values[key] : text;
      }),
    set: (key, value) => inTurn(async () => write({ ...valuesIn(await textOf(file)), [key]: value })),
  };
};

const textOf = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

const valuesIn = (text: string | undefined): Readonly<Record<string, string>> | undefined => {
  if (text === undefined) return {};
  try {
    return Object(JSON.parse(text)) as Record<string, string>;
  } catch {
    return undefined;
  }
};
