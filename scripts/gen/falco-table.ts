import { falcoBlocks, falcoFields, falcoUnread } from "../../src/config/falco-keys.ts";
import { falcoKeysOf } from "../../src/config/falco-sources.ts";
import type { Source } from "../../src/sdk/source.ts";
import { betweenMarks } from "./marked.ts";

const lists: readonly (readonly [string, string])[] = [
  ["config_files", "Further files, with their strategies."],
  ["plugins", "`k8saudit` opens its listener or file, `json` is always there."],
  ["append_output", "Appended to the alerts of the rules that match."],
  ["rules", "Rules switched on and off by name or tag."],
];

/** docs/compatibility.md with the table of falco.yaml's keys between its marks. */
export const compatibilityText = (page: string, sources: readonly Source[]): string => {
  const read = [...lists, ...about(falcoFields)];
  const blocks = about({ ...falcoBlocks, ...falcoKeysOf(sources) });
  const rows = [
    ...read.map(([key, text]) => row(key, "read", text)),
    ...blocks.map(([key, text]) => row(key, fateOf(text), text.replace(/^Without effect(?:: |\.)/, ""))),
    ...[...falcoUnread].map(([key, { why, quiet }]) =>
      row(
        key,
        quiet ? `named, unless ${quiet.map((value) => `\`${JSON.stringify(value)}\``).join(" or ")}` : "named",
        why,
      ),
    ),
  ];
  return betweenMarks(page, "falco", ["| key | | |", "| --- | --- | --- |", ...rows].join("\n"));
};

const about = (fields: object): (readonly [string, string])[] =>
  Object.entries(fields as Record<string, { description?: string }>).map(([key, { description = "" }]) => [
    key,
    description,
  ]);

const fateOf = (text: string): string => {
  if (text.startsWith("Without effect")) return "no effect";
  return /not (done|read)\b/.test(text) ? "named" : "read";
};

const row = (key: string, fate: string, text: string): string =>
  `| \`${key}\` | ${fate} | ${text.replaceAll("|", "\\|")} |`;
