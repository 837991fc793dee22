import { type NatsOptions, openNats } from "../fakes/nats.ts";
import type { ClientServer } from "../support/client-server.ts";

const at = (port: number, secret: string, secure: boolean) => ({
  hostport: `${secure ? "tls" : "nats"}://hub:${secret}@127.0.0.1:${port}`,
  subjecttemplate: "falco.<rule>",
});

export default {
  at,
  open: async ({ answer, refuses, fault, tls }) => {
    const server = await openNats({
      maxPayload: 64 * 1024 * 1024,
      ...answer,
      ...(refuses && { refuses }),
      ...(tls && { tls }),
      ...(fault === "hang" ? { mute: true } : fault && { fault }),
    });
    return {
      settings: (secret) => at(server.port, secret, tls !== undefined),
      arrived: () => server.published.map(({ body }) => body).join("\n"),
      connections: server.connections,
      poured: server.poured,
      close: server.close,
    };
  },
  refusals: {
    "a user that is none": {
      answer: { unwelcome: "Authorization Violation" },
      reason: "auth_error",
      retryable: true,
    },
    "a subject that may not be published to": {
      answer: { refuse: 'Permissions Violation for Publish to "falco.terminal_shell_in_container"' },
      reason: "auth_error",
      retryable: true,
    },
    "a message above the server's limit": { answer: { maxPayload: 100 }, reason: "too_large", retryable: false },
  },
  part: { reason: "auth_error", retryable: true },
  lacks: { throttling: "a NATS server does not ask for patience" },
} satisfies ClientServer<NatsOptions>;
