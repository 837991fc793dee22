/** What a system says about looking names up: /etc/resolv.conf and /etc/hosts as glibc reads them. */

import { isIP } from "node:net";

export interface ResolvConf {
  readonly servers: readonly string[];
  /** Domains that a name is looked for in. */
  readonly search: readonly string[];
  /** A name with fewer dots is looked for in the domains first. */
  readonly ndots: number;
  /** Of one question to one server, milliseconds; and how often each is asked. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

/** `hostname`: the machine's own; its domain is searched where the file names none. */
export const parseResolvConf = (text: string, hostname: string): ResolvConf => {
  const servers: string[] = [];
  const dot = hostname.indexOf(".");
  let search = dot > 0 ? [hostname.slice(dot + 1)] : [];
  const options = { ndots: 1, timeout: 5, attempts: 2 };
  for (const line of text.split("\n")) {
    const [key, ...words] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    const [first = ""] = words;
    if (key === "nameserver" && isIP(first.replace(/%.*/, "")) !== 0) servers.push(first);
    else if (key === "search") search = words;
    else if (key === "domain" && first !== "") search = [first];
    else if (key === "options")
      for (const word of words) {
        const [, name = "", digits = ""] = /^(ndots|timeout|attempts):(\d{1,4})$/.exec(word) ?? [];
        if (name in options) options[name as keyof typeof options] = Number(digits);
      }
  }
  return {
    servers,
    search: search.map((domain) => domain.replace(/\.$/, "")).filter((domain) => domain !== ""),
    ndots: Math.min(options.ndots, 15),
    timeoutMs: Math.min(Math.max(options.timeout, 1), 30) * 1000,
    attempts: Math.min(Math.max(options.attempts, 1), 5),
  };
};

/** The names that are asked for, in order. */
export const candidates = (
  host: string,
  { search, ndots }: Pick<ResolvConf, "search" | "ndots">,
): readonly string[] => {
  if (host.endsWith(".")) return [host.slice(0, -1)];
  const searched = search.map((domain) => `${host}.${domain}`);
  const dots = host.split(".").length - 1;
  return dots >= ndots ? [host, ...searched] : [...searched, host];
};

/** Name in lower case → its addresses, in the order of the file. */
export const parseHosts = (text: string): ReadonlyMap<string, readonly string[]> => {
  const hosts = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (isIP(address.replace(/%.*/, "")) === 0) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase());
      if (known) known.push(address);
      else hosts.set(name.toLowerCase(), [address]);
    }
  }
  return hosts;
};
