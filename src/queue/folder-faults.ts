/** What keeps a queue from using its folders, seen before it is opened. */

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { lockDirectory } from "./sqlite/lock.ts";

/** What is wrong with the data folder, or with the one that it would be made in; undefined: nothing. */
export const dataFolderFault = (datadir: string): string | undefined => {
  let folder = resolve(datadir);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is not a folder`;
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (fault) {
    return `${folder} cannot be written (${(fault as NodeJS.ErrnoException).code})`;
  }
};

/** Why a queue's own folder cannot be had, most often because another process has it; undefined: it can. */
export const lockFault = (folder: string): string | undefined => {
  if (!existsSync(join(folder, "queue.lock"))) return undefined;
  try {
    lockDirectory(folder)();
    return undefined;
  } catch (fault) {
    return fault instanceof Error ? fault.message : "the queue directory cannot be used";
  }
};
