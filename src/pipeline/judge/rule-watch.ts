import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import { ruleFileNames } from "./rule-files.ts";

export interface RuleWatch {
  close(): void;
}

/**
 * Calls `changed` after rules files under the paths have changed: written, replaced, added or removed, also behind a
 * symbolic link, as ConfigMaps are renewed. The file system's own messages make it quick, looking every `pollMs` makes it sure.
 */
export const watchRules = (
  paths: readonly string[],
  changed: () => void,
  { pollMs = 5000, settleMs = 200 }: { readonly pollMs?: number; readonly settleMs?: number } = {},
): RuleWatch => {
  let seen = signatureOf(paths);
  let settling: NodeJS.Timeout | undefined;
  const look = (): void => {
    settling = undefined;
    const now = signatureOf(paths);
    if (now === seen) return;
    seen = now;
    changed();
  };
  // A file is often written in several steps.
  const heard = (): void => {
    settling ??= setTimeout(look, settleMs).unref();
  };
  const watchers = [...new Set(paths.flatMap((path) => [path, dirname(path)]))].flatMap((path) => listen(path, heard));
  const poll = setInterval(heard, pollMs).unref();
  return {
    close: () => {
      clearInterval(poll);
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
    },
  };
};

/** What cannot be listened to is looked at. */
const listen = (path: string, heard: () => void): readonly FSWatcher[] => {
  try {
    const watcher = watch(path, { persistent: false }, heard);
    watcher.on("error", () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
};

/** Changes when a file does: links are followed. */
const signatureOf = (paths: readonly string[]): string =>
  paths
    .flatMap(namesOf)
    .map((name) => {
      const stat = statOf(name);
      return `${name}\0${stat?.ino}\0${stat?.size}\0${stat?.mtimeNs}`;
    })
    .join("\n");

const namesOf = (path: string): readonly string[] => {
  try {
    return ruleFileNames(path);
  } catch {
    return [path];
  }
};

const statOf = (path: string) => {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};
