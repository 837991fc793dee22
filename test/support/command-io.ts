import { outputs } from "../../outputs/index.ts";
import { sources as registry } from "../../sources/index.ts";
import type { Command, CommandIo } from "../../src/cli/command.ts";

/** Runs a command within the test; `env` is all that it sees of the environment. */
export const runCommand = async (
  command: Command,
  args: readonly string[],
  env: CommandIo["env"] = {},
  sources: CommandIo["sources"] = registry,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
  let [stdout, stderr] = ["", ""];
  const code = await command(args, {
    env,
    stdin: process.stdin,
    stdout: {
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
      },
    },
    outputs,
    sources,
  });
  return { code, stdout, stderr };
};
