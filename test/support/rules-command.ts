import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { sources } from "../../sources/index.ts";
import type { Command } from "../../src/cli/command.ts";

/** Runs a command with this standard input. */
export const runWith = async (command: Command, args: readonly string[], stdin: Iterable<Buffer> = []) => {
  let [out, err] = ["", ""];
  const code = await command(args, {
    env: { FALCO_HOSTNAME: "host" },
    stdin: Readable.from(stdin),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    outputs: [],
    sources,
  });
  return { code, out, err };
};

/** A folder of files by name; `remove` takes it away. */
export const folderOf = (files: Readonly<Record<string, string | Buffer>>) => {
  const dir = mkdtempSync(join(tmpdir(), "rules-"));
  const write = (name: string, content: string | Buffer): string => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { dir, at: (name: string) => join(dir, name), write, remove: () => rmSync(dir, { recursive: true }) };
};

/** One rule of audit events as YAML. */
export const rule = (name: string, condition: string, more: Readonly<Record<string, unknown>> = {}): string =>
  `- ${JSON.stringify({ rule: name, desc: `about ${name}`, condition, output: "%ka.auditid", priority: "WARNING", source: "k8s_audit", ...more })}\n`;
