/** Whether a connection to Redis stands, and in plain words why not. Nothing here holds an address or a secret. */

import { QueueError } from "../queue.ts";
import { codeWord, type RedisClient } from "./connect.ts";

interface RedisWatch {
  connected(): boolean;
  /** Right after opening the connection may still be on its way. Rejects with QueueError. */
  firstContact(timeoutMs: number): Promise<void>;
  /** One sentence while there is no connection. */
  trouble(): string | undefined;
}

/** `changed` hears each new reason why Redis cannot be used, not the ones that repeat the last. */
export function watchRedis(client: RedisClient, changed: (reason: string) => void): RedisWatch {
  let reason: string | undefined;
  client.on("error", (error: unknown) => {
    const now = explain(error);
    if (now !== reason) changed(now);
    reason = now;
  });
  client.on("ready", () => {
    reason = undefined;
  });
  const connected = () => client.status === "ready" || ("nodes" in client && client.status === "connect");
  const notThere = () => new QueueError("unavailable", reason ?? "Redis is not connected");
  const firstContact = (timeoutMs: number) =>
    new Promise<void>((resolve, reject) => {
      const { status } = client;
      if (status !== "connecting" && status !== "connect" && status !== "wait") return reject(notThere());
      const end = (fine: boolean) => {
        clearTimeout(timer);
        client.off("ready", ok);
        client.off("close", gone);
        if (fine) resolve();
        else reject(notThere());
      };
      const ok = () => end(true);
      const gone = () => end(false);
      const timer = setTimeout(gone, timeoutMs);
      client.once("ready", ok);
      client.once("close", gone);
    });
  return { connected, firstContact, trouble: () => (connected() ? undefined : (reason ?? "Redis is not connected")) };
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/\bWRONGPASS\b|invalid password/, "Redis refuses the password"],
  [/\bNOAUTH\b/, "Redis wants a password"],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, "Redis's certificate is for another name"],
  [/CERT_HAS_EXPIRED|certificate has expired/, "Redis's certificate has expired"],
  [/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_UNKNOWN_CA/, "Redis wants a client certificate"],
  [/SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_|certificate/i, "Redis's certificate is not trusted"],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/, "Redis does not speak TLS at this address"],
];

/** A connection's error in plain words. Cluster and Sentinel wrap the one that says why. */
function explain(error: unknown): string {
  const inner = (error as { lastNodeError?: unknown } | undefined)?.lastNodeError;
  if (inner) return explain(inner);
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  const known = reasons.find(([pattern]) => pattern.test(`${code} ${message}`));
  if (known) return known[1];
  if (message.startsWith("All sentinels are unreachable")) return "no Sentinel answers";
  const word = codeWord(error);
  return word === "not connected" || word === "error" ? "Redis is not connected" : `Redis is not connected: ${word}`;
}
