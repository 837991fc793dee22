/**
 * A Redis that has reached its maxmemory and evicts nothing refuses commands that may need memory, those among them that
 * fetch and end jobs: what would make room could not happen either. Redis judges a script by its first write alone, so one
 * that begins with a write that needs no memory runs to its end. Pushes do not: they are refused, as they should be.
 */

import type { RedisClient } from "./connect.ts";
import { nodesOf } from "./facts.ts";

/** A script that runs on a full Redis, too. Its first key must be there. */
export const evenWhenFull = (lua: string): string => `redis.call('DEL', KEYS[1] .. ':room')\n${lua}`;

/** Every script that this connection is given runs on a full Redis. */
export function workWhenFull(client: RedisClient): void {
  const define = client.defineCommand.bind(client);
  Object.assign(client, {
    defineCommand: (name: string, { lua, ...rest }: { lua: string; numberOfKeys?: number }) =>
      define(name, { ...rest, lua: evenWhenFull(lua) }),
  });
}

/** Shares of maxmemory: from the first on Redis counts as full, below the second no more. */
const [fullFrom, roomBelow] = [0.95, 0.85];

/** Asks how full the servers are. */
export function watchRoom(client: RedisClient) {
  let full = false;
  const look = async () => {
    if (client.status !== "ready" && client.status !== "connect") return;
    try {
      const infos = await Promise.all(nodesOf(client).map((node) => node.info("memory")));
      full = infos.some((info) => isRedisFull(info, full));
    } catch {
      // It does not answer; what was known still stands.
    }
  };
  const timer = setInterval(() => void look(), lookMs).unref();
  return {
    isFull: () => full,
    /** It did not take something for want of room. */
    refused: () => {
      full = true;
    },
    close: () => clearInterval(timer),
  };
}

const lookMs = 2_000;

/** Judges INFO's memory section. Without a limit, or without knowledge of it, there is room. */
function isRedisFull(info: string, before: boolean): boolean {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const most = field("maxmemory");
  return most > 0 && field("used_memory") > most * (before ? roomBelow : fullFrom);
}
