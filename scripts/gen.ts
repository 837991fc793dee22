/** Writes what is derived from the outputs and the configuration's fields; `--check` only says what is stale. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { decisionsPage } from "./gen/decisions.ts";
import { configurationPage, outputPages, readmeText } from "./gen/docs.ts";
import { exampleText } from "./gen/example.ts";
import { compatibilityText } from "./gen/falco-table.ts";
import { betweenMarks } from "./gen/marked.ts";
import { banner, indexText, loadOutputs, loadSources } from "./gen/registry.ts";
import { schemaText } from "./gen/schema.ts";
import { roomsTable } from "./house/rooms.ts";

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");

const current = (path: string): string | undefined =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined;

const outputs = await loadOutputs(join(root, "outputs"));
const sources = await loadSources(join(root, "sources"));

const files = new Map<string, string>([
  ["outputs/index.ts", indexText(join(root, "outputs"), "Output")],
  ["sources/index.ts", indexText(join(root, "sources"), "Source")],
  ["config/schema.json", schemaText(outputs, sources)],
  ["config/eyrie.yaml", exampleText(outputs, sources)],
  ["docs/configuration.md", configurationPage(sources)],
  ["docs/compatibility.md", compatibilityText(current("docs/compatibility.md") ?? "", sources)],
  ["CONTRIBUTING.md", betweenMarks(current("CONTRIBUTING.md") ?? "", "rooms", roomsTable())],
  ["decisions/README.md", decisionsPage(join(root, "decisions"))],
  ...outputPages(outputs, root),
  ["README.md", readmeText(current("README.md") ?? "", outputs)],
]);

/** Pages of outputs that are no more. */
const orphans = (existsSync(join(root, "docs/outputs")) ? readdirSync(join(root, "docs/outputs")) : [])
  .map((name) => `docs/outputs/${name}`)
  .filter((path) => path.endsWith(".md") && !files.has(path) && current(path)?.includes(banner));

const stale = [...files].filter(([path, text]) => current(path) !== text);
for (const [path, text] of check ? [] : stale) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
for (const path of check ? [] : orphans) rmSync(join(root, path));

const changed = [...stale.map(([path]) => path), ...orphans];
for (const path of changed) console.log(`${check ? "stale" : "wrote"} ${path}`);
if (check && changed.length > 0) {
  console.log("Run `npm run gen` and commit what it wrote.");
  process.exitCode = 1;
}
