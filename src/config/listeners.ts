import type { HubConfig } from "./types.ts";

/** One port that the hub would listen on. */
export interface PlannedListener {
  /** The key that asks for it. */
  readonly key: string;
  /** Empty: every address. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** What is taken there, for people. */
  readonly takes: string;
  /** `TLS`, `client certificates`, `2 bearer tokens`. */
  readonly traits: readonly string[];
}

/** Every port of a configuration, the hub's own first. */
export const listenersOf = (config: HubConfig): readonly PlannedListener[] => {
  const { listenaddress: host, listenport, tlsserver, auth, sources, role } = config;
  const tokens = (auth.token === "" ? 0 : 1) + Object.values(auth.tokens).filter((token) => token !== "").length;
  const asked = tokens > 0 ? [`${tokens} bearer token${tokens === 1 ? "" : "s"}`] : [];
  const secure = tlsserver.deploy ? ["TLS", ...(tlsserver.mutualtls ? ["client certificates"] : [])] : [];
  const plain = tlsserver.deploy && tlsserver.notlspaths.length > 0;
  return [
    { key: "listenport", host, port: listenport, takes: "alerts", traits: [...secure, ...asked] },
    ...(plain
      ? [
          {
            key: "tlsserver.notlsport",
            host,
            port: tlsserver.notlsport,
            takes: tlsserver.notlspaths.join(" "),
            traits: asked,
          },
        ]
      : []),
    ...(role === "worker" ? [] : sources).flatMap(({ source, config: settings, written }) => {
      const place = source.listens?.(settings);
      if (!place) return [];
      const { key, host: at, port, path = "", traits } = place;
      return [{ key: written(key), host: at, port, takes: `events${path === "" ? "" : ` at ${path}`}`, traits }];
    }),
  ];
};

/** Of the hub's own ports, in the order of `addresses`: those that take alerts from whoever can connect. */
export const openToAnybody = ({ auth, tlsserver }: HubConfig, addresses: readonly string[]): readonly string[] => {
  if (auth.token !== "" || Object.keys(auth.tokens).length > 0) return [];
  const { deploy, mutualtls, notlspaths } = tlsserver;
  const takes = (path: string) => path === "/" || path === "/test";
  return addresses.filter((_, port) => {
    if (!deploy) return true;
    return port === 0 ? !mutualtls && !notlspaths.includes("/") : notlspaths.some(takes);
  });
};

/** Listeners that want a port which one before them has, each with that one. */
export const clashes = (
  listeners: readonly PlannedListener[],
): readonly { readonly second: PlannedListener; readonly first: PlannedListener }[] =>
  listeners.flatMap((second, i) => {
    const first = listeners
      .slice(0, i)
      .find((other) => other.port === second.port && other.port !== 0 && meet(other.host, second.host));
    return first ? [{ second, first }] : [];
  });

const every = new Set(["", "0.0.0.0", "::"]);
const plainHost = (host: string): string => (host.toLowerCase() === "localhost" ? "127.0.0.1" : host.toLowerCase());

const meet = (a: string, b: string): boolean => every.has(a) || every.has(b) || plainHost(a) === plainHost(b);
