import { openSyslog } from "../fakes/syslog.ts";
import type { ClientServer } from "../support/client-server.ts";

const at = (port: number, _secret: string, secure: boolean) => ({
  host: "127.0.0.1",
  port: String(port),
  protocol: secure ? "tls" : "tcp",
});

export default {
  at,
  open: async ({ fault, tls }) => {
    const server = await openSyslog(tls, fault === "hang" ? undefined : fault);
    return {
      settings: (secret) => at(server.ports.tcp, secret, tls !== undefined),
      arrived: () => server.heard.map(({ text }) => text).join("\n"),
      connections: server.connections,
      poured: server.poured,
      close: server.close,
    };
  },
  refusals: {},
  lacks: {
    answers: "syslog confirms nothing and refuses nothing: what the connection took counts as delivered",
    partial: "what a connection takes it takes whole; a datagram that is too long is held in the suite of its own",
    throttling: "a syslog server does not ask for patience",
  },
} satisfies ClientServer<never>;
