/** Whether a Redis keeps what it acknowledged: eviction and persistence, read from the server itself. */

import type { RedisClient } from "./connect.ts";

export interface RedisFacts {
  readonly durable: boolean;
  readonly warnings: readonly string[];
}

/** Judges INFO's text. `fsync` is CONFIG's appendfsync when it could be read. */
export function judge(info: string, needAlways: boolean, fsync: string | undefined): RedisFacts {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const warnings: string[] = [];
  let durable = true;
  const policy = field("maxmemory_policy");
  if (policy?.startsWith("allkeys")) {
    durable = false;
    warnings.push(`Redis may evict queued events: maxmemory-policy is ${policy}, must be noeviction`);
  } else if (policy?.startsWith("volatile")) {
    warnings.push(`Redis may evict the queue's locks: maxmemory-policy is ${policy}, should be noeviction`);
  } else if (policy === undefined) {
    warnings.push("Redis does not tell its maxmemory-policy: make sure that it is noeviction");
  }
  const aof = field("aof_enabled");
  if (aof === "0") {
    durable = false;
    warnings.push("Redis forgets queued events when it ends: appendonly is off");
  } else if (aof === undefined) {
    warnings.push("Redis does not tell whether appendonly is on");
  }
  if (field("aof_last_write_status") === "err") {
    durable = false;
    warnings.push("Redis cannot write its append-only file");
  }
  if (needAlways && aof === "1" && fsync !== "always") {
    if (fsync !== undefined) durable = false;
    warnings.push(
      fsync === undefined
        ? "Redis does not tell its appendfsync: full durability needs always"
        : `full durability needs appendfsync always, it is ${fsync}`,
    );
  }
  return { durable, warnings };
}

export async function readFacts(client: RedisClient, needAlways: boolean): Promise<RedisFacts> {
  const all: RedisFacts[] = [];
  for (const node of nodesOf(client)) {
    const info = (await node.info("memory")) + (await node.info("persistence"));
    let fsync: string | undefined;
    if (needAlways) fsync = await node.config("GET", "appendfsync").then(second, () => undefined);
    all.push(judge(info, needAlways, fsync));
  }
  return { durable: all.every((f) => f.durable), warnings: [...new Set(all.flatMap((f) => f.warnings))] };
}

/** The servers that hold data. */
export const nodesOf = (client: RedisClient) => ("nodes" in client ? client.nodes("master") : [client]);

const second = (reply: unknown) => (Array.isArray(reply) ? String(reply[1] ?? "") || undefined : undefined);

/** What is known of the server, read again now and then and at every new connection. */
export interface FactsWatch {
  facts(): RedisFacts;
  close(): void;
}

const everyMs = 30_000;

/** `warned` hears of each warning once, as long as it holds. */
export function watchFacts(client: RedisClient, needAlways: boolean, warned: (warning: string) => void): FactsWatch {
  let facts: RedisFacts = { durable: true, warnings: [] };
  const check = async () => {
    try {
      const now = await readFacts(client, needAlways);
      for (const warning of now.warnings) if (!facts.warnings.includes(warning)) warned(warning);
      facts = now;
    } catch {
      // Redis is away: what was known of it still stands.
    }
  };
  const timer = setInterval(() => void check(), everyMs).unref();
  client.on("ready", () => void check());
  return { facts: () => facts, close: () => clearInterval(timer) };
}
