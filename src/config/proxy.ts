import { BlockList, isIP } from "node:net";

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY as they were set. */
export interface ProxyEnv {
  readonly http?: string;
  readonly https?: string;
  readonly no?: string;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * The proxy for a target, as Go's clients read the variables: loopback never has one; NO_PROXY lists hosts (their
 * subdomains too), `.domain` or `*.domain` (subdomains only), addresses, networks (CIDR), each with an optional port, or `*`.
 */
export const proxyFor = (target: URL, env: ProxyEnv): string | undefined => {
  const proxy = (target.protocol === "https:" ? env.https : env.http)?.trim();
  if (!proxy) return undefined;
  const host = target.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  if (isLoopback(host) || spared(host, port, env.no ?? "")) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
};

const isLoopback = (host: string): boolean =>
  host === "localhost" || (isIP(host) !== 0 && loopback.check(host, isIP(host) === 6 ? "ipv6" : "ipv4"));

const spared = (host: string, port: string, list: string): boolean =>
  list.split(",").some((part) => {
    const entry = part.trim().toLowerCase();
    return entry !== "" && (entry === "*" || names(entry, host, port));
  });

const names = (entry: string, host: string, port: string): boolean => {
  if (entry.includes("/")) return inNetwork(entry, host);
  const { name, only } = splitPort(entry);
  if (only !== undefined && only !== port) return false;
  if (isIP(name) !== 0) return name === host;
  if (name.startsWith(".") || name.startsWith("*.")) return host.endsWith(name.replace(/^\*/, ""));
  return host === name || host.endsWith(`.${name}`);
};

const splitPort = (entry: string): { name: string; only?: string } => {
  if (isIP(entry) !== 0) return { name: entry };
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/.exec(entry);
  const name = match?.groups?.v6 ?? match?.groups?.name ?? entry;
  const only = match?.groups?.port;
  return only === undefined ? { name } : { name, only };
};

const inNetwork = (entry: string, host: string): boolean => {
  const [address = "", bits = ""] = entry.split("/");
  const family = isIP(address);
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32))
    return false;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family === 6 ? "ipv6" : "ipv4");
  return network.check(host, family === 6 ? "ipv6" : "ipv4");
};
