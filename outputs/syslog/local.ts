import { spawn } from "node:child_process";
import { DeliveryError, type Reason } from "../../src/sdk/errors.ts";

/** User-level messages, as programs that say nothing of it are. */
const facility = 1 << 3;

export interface LocalMessage {
  readonly severity: number;
  /** One line. */
  readonly text: string;
}

/**
 * Hands messages to the host's syslog. Node opens no datagram socket in the file system: `logger` of util-linux does, and
 * says by its exit code whether it could.
 */
export const sendLocal = async (
  messages: readonly LocalMessage[],
  path: string,
  signal: AbortSignal,
): Promise<void> => {
  const flags = ["--socket", path, "--tag", "falco", "--prio-prefix", "--socket-errors=on", "--size", "64KiB"];
  const child = spawn("logger", flags, { stdio: ["pipe", "ignore", "ignore"], signal, killSignal: "SIGKILL" });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // It may end before it has read.
  child.stdin.on("error", () => {});
  child.stdin.end(messages.map(({ severity, text }) => `<${facility + severity}>${text}\n`).join(""));
  const code = await ended.catch((error: NodeJS.ErrnoException) => {
    if (signal.aborted) throw fault("the host's syslog did not answer in time", "timeout");
    throw fault(`the program logger cannot be run (${error.code})`, "config");
  });
  if (code !== 0) throw fault("the host's syslog is not reached", "network");
};

const fault = (message: string, reason: Reason): DeliveryError =>
  new DeliveryError(message, { reason, retryable: true });
