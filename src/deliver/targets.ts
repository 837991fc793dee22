import { type Dispatcher, Pool, ProxyAgent } from "undici";
import { type ProxyEnv, proxyFor } from "../config/proxy.ts";
import { DeliveryError } from "../sdk/errors.ts";
import type { TlsMaterial } from "../sdk/output.ts";
import { secureContext } from "./tls.ts";

/** Where the requests for one address go. */
export interface Target {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** Path and query; the absolute address when a proxy forwards it. */
  readonly path: string;
  /** Sent unless the request has its own: credentials of the address, what the proxy wants. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Targets {
  find(address: string): Target;
  close(): Promise<void>;
}

/** Addresses may carry a date or an alert's name; the pools behind them are few. */
const mostAddresses = 256;

/** One keep-alive pool per origin, opened on first use. Throws DeliveryError. */
export const openTargets = (tls: TlsMaterial, proxy: ProxyEnv, connections: number): Targets => {
  const dispatchers = new Map<string, Dispatcher>();
  const targets = new Map<string, Target>();
  // Time limits are the attempt's signal.
  const common = { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
  let context: ReturnType<typeof secureContext> | undefined;

  const secure = () => {
    context ??= secureContext(tls);
    return { secureContext: context, rejectUnauthorized: tls.rejectUnauthorized };
  };
  const dispatcher = (key: string, open: () => Dispatcher): Dispatcher => {
    const known = dispatchers.get(key) ?? open();
    dispatchers.set(key, known);
    return known;
  };
  const pool = (url: URL): Dispatcher =>
    dispatcher(url.origin, () => new Pool(url.origin, { ...common, ...(isTls(url) && { connect: secure() }) }));
  const tunnel = (url: URL, via: URL): Dispatcher =>
    dispatcher(`${via.origin} ${url.origin}`, () => {
      const secured = { ...(isTls(via) && { proxyTls: secure() }), ...(isTls(url) && { requestTls: secure() }) };
      return new ProxyAgent({ ...common, uri: via.href, ...secured });
    });

  const open = (address: string): Target => {
    const url = URL.parse(address);
    if (!url || (!isTls(url) && url.protocol !== "http:"))
      throw new DeliveryError("the address is not an http or https URL", { reason: "config", retryable: false });
    const via = viaProxy(url, proxy);
    const path = url.pathname + url.search;
    const authorization = credentials(url);
    const own = authorization && { Authorization: authorization };
    if (!via) return { dispatcher: pool(url), origin: url.origin, path, ...(own && { headers: own }) };
    if (isTls(url) || !via.protocol.startsWith("http"))
      return { dispatcher: tunnel(url, via), origin: url.origin, path, ...(own && { headers: own }) };
    // Plain HTTP goes in absolute form: many proxies allow CONNECT to port 443 alone.
    const allowed = credentials(via);
    const headers = { Host: url.host, ...own, ...(allowed && { "Proxy-Authorization": allowed }) };
    return { dispatcher: pool(via), origin: via.origin, path: url.origin + path, headers };
  };

  return {
    find: (address) => {
      const known = targets.get(address);
      if (known) return known;
      const target = open(address);
      if (targets.size >= mostAddresses) targets.clear();
      targets.set(address, target);
      return target;
    },
    close: async () => {
      const open = [...dispatchers.values()];
      dispatchers.clear();
      targets.clear();
      await Promise.all(open.map((one) => one.destroy()));
    },
  };
};

const isTls = (url: URL): boolean => url.protocol === "https:";

const viaProxy = (url: URL, env: ProxyEnv): URL | undefined => {
  const address = proxyFor(url, env);
  if (address === undefined) return undefined;
  const via = URL.parse(address);
  if (!via) throw new DeliveryError("the proxy's address is not a URL", { reason: "config", retryable: true });
  return via;
};

/** Credentials in an address become a header, as in Go's client. */
const credentials = (url: URL): string | undefined =>
  url.username || url.password
    ? `Basic ${Buffer.from(`${plain(url.username)}:${plain(url.password)}`).toString("base64")}`
    : undefined;

const plain = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
