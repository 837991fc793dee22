import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { banner } from "./registry.ts";

/** The list of decisions: file and first heading of every page. */
export const decisionsPage = (dir: string): string => {
  const pages = readdirSync(dir)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .sort();
  const rows = pages.map((name) => `- [${readFileSync(join(dir, name), "utf8").split("\n", 1)[0]?.slice(2)}](${name})`);
  return `<!-- ${banner} -->
# Decisions

Where Eyrie differs from falcosidekick, from Falco or from its own first design: what, why, and what it cost. One page each.

${rows.join("\n")}
`;
};
