import { readdirSync } from "node:fs";
import type { Deliberate } from "./deliberate-shape.ts";

const folder = new URL("../deliberate/", import.meta.url);

/** How outputs mean to differ from falcosidekick: `test/deliberate/<output>.ts`, by the name of the file. */
export const deliberate: ReadonlyMap<string, readonly Deliberate[]> = new Map(
  await Promise.all(
    readdirSync(folder).map(async (file) => {
      const { default: own } = (await import(new URL(file, folder).href)) as { default: readonly Deliberate[] };
      return [file.replace(/\.ts$/, ""), own] as const;
    }),
  ),
);
