import dns from "node:dns";
import { isIP } from "node:net";
import type { Address, Answer, Ask } from "./questions.ts";
import { candidates, type ResolvConf } from "./resolv-conf.ts";

/** All addresses of a name, the preferred ones first. Rejects as the system's lookup does: ENOTFOUND, EAI_AGAIN. */
export type Find = (host: string) => Promise<readonly Address[]>;

export interface FindParts {
  readonly conf: () => ResolvConf;
  readonly hosts: () => ReadonlyMap<string, readonly string[]>;
  readonly ask: Ask;
  /** What else the system knows (its nsswitch.conf); asked one name at a time, when DNS knows none or no server runs. */
  readonly system?: Find;
  /** Milliseconds that only go forward. */
  readonly ticks: () => number;
}

/** Bounds of how long an answer is used, whatever its TTL. */
const [shortestMs, longestMs] = [1_000, 300_000];
/** A lookup that takes longer has failed; what it was to be for has other limits. */
const deadlineMs = 8_000;
const mostNames = 4_096;

/**
 * Looks names up as glibc does (hosts file, search domains), but each on its own: a name whose servers never answer keeps
 * nobody else waiting, and however often it is wanted it is asked for once at a time. Answers are kept for their TTL.
 */
export const openFind = ({ conf, hosts, ask, system, ticks }: FindParts): Find => {
  const known = new Map<string, { readonly addresses: readonly Address[]; readonly until: number }>();
  const asking = new Map<string, Promise<readonly Address[]>>();
  const systemTurn = inTurn();

  const remember = (name: string, addresses: readonly Address[], ttlMs: number): readonly Address[] => {
    if (known.size >= mostNames) known.clear();
    known.set(name, { addresses, until: ticks() + Math.min(Math.max(ttlMs, shortestMs), longestMs) });
    return addresses;
  };

  const askAll = async (name: string): Promise<readonly Address[]> => {
    let [failed, unheard] = [false, false];
    for (const candidate of candidates(name, conf())) {
      const answer: Answer = await ask(candidate);
      if (answer.kind === "found") return remember(name, answer.addresses, answer.ttlMs);
      failed ||= answer.kind === "failed";
      unheard = answer.kind === "silent";
      // As glibc: without an answer the other domains are not tried.
      if (unheard) break;
    }
    if (failed || unheard || !system) throw notFound(name, failed || unheard ? "EAI_AGAIN" : "ENOTFOUND");
    return remember(name, await systemTurn(() => system(name)), shortestMs);
  };

  return (host) => {
    const name = host.toLowerCase();
    const family = isIP(name);
    if (family !== 0) return Promise.resolve([{ address: host, family: family as 4 | 6 }]);
    const listed = hosts().get(name.replace(/\.$/, "")) ?? loopback(name);
    if (listed) return Promise.resolve(listed.map((address) => ({ address, family: isIP(address) as 4 | 6 })));
    const kept = known.get(name);
    if (kept && kept.until > ticks()) return Promise.resolve(kept.addresses);
    let answer = asking.get(name);
    if (!answer) {
      answer = within(deadlineMs, askAll(name), () => notFound(name, "EAI_AGAIN")).finally(() => asking.delete(name));
      asking.set(name, answer);
    }
    return answer;
  };
};

/** RFC 6761: these names are never asked of anybody. */
const loopback = (name: string): readonly string[] | undefined =>
  /^(?:.*\.)?localhost\.?$/.test(name) ? ["127.0.0.1", "::1"] : undefined;

const notFound = (hostname: string, code: "ENOTFOUND" | "EAI_AGAIN"): Error =>
  Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code, errno: code, syscall: "getaddrinfo", hostname });

const within = <T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });

/** One at a time. */
const inTurn = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
};

/** Held from before it is replaced. */
const systemLookup = dns.lookup;

/** The system's own lookup, which takes one of the process' four threads for as long as it lasts. */
export const findBySystem: Find = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => {
      if (error) reject(error);
      else resolve(found as readonly Address[]);
    });
  });
