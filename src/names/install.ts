/**
 * Puts the hub's lookup in the place of Node's for the whole process: HTTP pools, Redis, NATS, mail, AWS clients and sockets
 * of any library ask `dns.lookup`, and not all of them can be handed another.
 */

import dns, { type LookupAddress, type LookupOptions } from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { hostname, networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { type Find, findBySystem, openFind } from "./lookup.ts";
import { type Ask, openQuestions } from "./questions.ts";
import { parseHosts, parseResolvConf, type ResolvConf } from "./resolv-conf.ts";
import { followedFile } from "./system-files.ts";

type Done = (error: Error | null, found?: string | LookupAddress[], family?: number) => void;

/** Once, before anything connects. */
export const installLookup = (): void => {
  // Bound now: this is the lookup that is replaced.
  const ticks = (): number => performance.now();
  const conf = followedFile("/etc/resolv.conf", (text) => parseResolvConf(text, hostname()), ticks);
  const hosts = followedFile("/etc/hosts", parseHosts, ticks);
  const find = openFind({ conf, hosts, ask: askConfigured(conf), system: findBySystem, ticks });
  const lookup = lookupBy(find);
  const asked = (host: string, options?: LookupOptions) =>
    new Promise((resolve, reject) => {
      lookup(host, options ?? {}, (error, found, family) => {
        if (error) reject(error);
        else resolve(Array.isArray(found) ? found : { address: found, family });
      });
    });
  Object.assign(dns, { lookup: Object.assign(lookup, { [promisify.custom]: asked }) });
  Object.assign(dns.promises, { lookup: asked });
  syncBuiltinESMExports();
};

/** Asks the servers that the process was started with, and those of the file once it changes. */
const askConfigured = (conf: () => ResolvConf): Ask => {
  const first = conf();
  let current = first;
  const open = (servers: readonly string[], { timeoutMs, attempts }: ResolvConf): Ask =>
    openQuestions({ servers, timeoutMs: Math.min(timeoutMs, longestTimeoutMs), attempts, prefers6: hasGlobal6 });
  let ask = open(dns.getServers(), first);
  return (name) => {
    const now = conf();
    if (now !== current) ask = open(now.servers, now);
    current = now;
    return ask(name);
  };
};

/** Of one question: two of them and their search domains shall end before an attempt to deliver does. */
const longestTimeoutMs = 2_500;

const hasGlobal6 = (): boolean =>
  Object.values(networkInterfaces()).some((list) =>
    list?.some(({ family, internal, address }) => family === "IPv6" && !internal && !address.startsWith("fe80")),
  );

/** A function with the signature of `dns.lookup`. */
export const lookupBy =
  (find: Find) =>
  (host: string, given: LookupOptions | number | Done, last?: Done): void => {
    const done = (typeof given === "function" ? given : last) as Done;
    const options: LookupOptions =
      typeof given === "object" ? given : typeof given === "number" ? { family: given } : {};
    if (typeof done !== "function") throw new TypeError("a lookup needs a callback");
    const family = familyOf(options.family);
    if (!host) return void process.nextTick(done, null, options.all ? [] : null, family === 6 ? 6 : 4);
    find(host).then(
      (all) => {
        const found = ordered(family === 0 ? all : all.filter((one) => one.family === family), options.order);
        const [first] = found;
        if (!first) done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), absent(host)));
        else if (options.all) done(null, [...found]);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error),
    );
  };

const absent = (hostname: string) => ({ code: "ENOTFOUND", syscall: "getaddrinfo", hostname });

const familyOf = (family: LookupOptions["family"]): 0 | 4 | 6 =>
  family === 4 || family === "IPv4" ? 4 : family === 6 || family === "IPv6" ? 6 : 0;

const ordered = (found: readonly LookupAddress[], order: LookupOptions["order"]): readonly LookupAddress[] => {
  if (order !== "ipv4first" && order !== "ipv6first") return found;
  const first = order === "ipv4first" ? 4 : 6;
  return found.toSorted((a, b) => Number(b.family === first) - Number(a.family === first));
};
