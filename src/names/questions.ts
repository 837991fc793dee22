/** Questions to name servers. They go over sockets and not through the threads that the whole process has four of. */

import { promises as dns } from "node:dns";

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** `none`: there is no such name, or it has no address; `failed`: the server says that it cannot tell; `silent`: no answer. */
export type Answer =
  | { readonly kind: "found"; readonly addresses: readonly Address[]; readonly ttlMs: number }
  | { readonly kind: "none" | "failed" | "silent" };

export type Ask = (name: string) => Promise<Answer>;

/** When one family's addresses are there, the other's are waited for so long (RFC 8305). */
const resolutionDelayMs = 50;

const silent = new Set(["ETIMEOUT", "ECONNREFUSED", "ECANCELLED", "EDESTRUCTION"]);

export interface AskSettings {
  /** Empty: the system's. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
  readonly attempts: number;
  /** The machine has an IPv6 address of its own: those of a name come first, as they do from the system. */
  readonly prefers6: () => boolean;
}

export const openQuestions = ({ servers, timeoutMs, attempts, prefers6 }: AskSettings): Ask => {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries: attempts });
  try {
    if (servers.length > 0 && servers.join() !== resolver.getServers().join()) resolver.setServers([...servers]);
  } catch {
    // Not every address that a system may name can be set: those that c-ares found itself are asked.
  }

  const one = async (name: string, family: 4 | 6): Promise<Answer> => {
    try {
      const records = await (family === 4
        ? resolver.resolve4(name, { ttl: true })
        : resolver.resolve6(name, { ttl: true }));
      const addresses = records.map(({ address }) => ({ address, family }));
      return { kind: "found", addresses, ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000 };
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (code === "ENOTFOUND" || code === "EBADNAME") return noSuchName;
      if (code === "ENODATA") return { kind: "none" };
      return { kind: silent.has(code) ? "silent" : "failed" };
    }
  };

  return (name) =>
    new Promise((resolve) => {
      const six = prefers6();
      const got: { 4?: Answer; 6?: Answer } = {};
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        resolve(joined(six ? [got[6], got[4]] : [got[4], got[6]]));
      };
      for (const family of [4, 6] as const)
        void one(name, family).then((answer) => {
          got[family] = answer;
          if (got[4] && got[6]) end();
          else if (answer.kind === "found" && (six || family === 4)) timer = setTimeout(end, resolutionDelayMs);
        });
    });
};

const noSuchName: Answer = { kind: "none" };

const joined = (answers: readonly (Answer | undefined)[]): Answer => {
  const found = answers.filter((answer) => answer?.kind === "found");
  if (found.length > 0)
    return {
      kind: "found",
      addresses: found.flatMap(({ addresses }) => addresses),
      ttlMs: Math.min(...found.map(({ ttlMs }) => ttlMs)),
    };
  if (answers.includes(noSuchName)) return noSuchName;
  return answers.find((answer) => answer?.kind === "silent") ?? answers.find((a) => a?.kind === "failed") ?? noSuchName;
};
