import { openSmtp, type SmtpOptions } from "../fakes/smtp.ts";
import type { ClientServer } from "../support/client-server.ts";

const at = (port: number, secret: string, secure: boolean) => ({
  hostport: `127.0.0.1:${port}`,
  tls: secure,
  user: "hub",
  password: secret,
  from: "falco@example.com",
  to: "a@example.com",
});

const says = (at: string, answer: string): SmtpOptions => ({ reply: (verb) => (verb === at ? answer : undefined) });

export default {
  at,
  open: async ({ answer, fault, tls }) => {
    const server = await openSmtp({ ...answer, ...(fault && { fault }), ...(tls && { certified: tls }) });
    return {
      settings: (secret) => at(server.port, secret, tls !== undefined),
      arrived: () => server.mails.map(({ data }) => data.replaceAll("=\r\n", "")).join("\n"),
      connections: server.open,
      poured: server.poured,
      close: server.close,
    };
  },
  refusals: {
    "a user that is none": { answer: { login: () => "535 5.7.8 no" }, reason: "auth_error", retryable: true },
    "a sender that is put off": { answer: says("MAIL", "451 4.3.2 later"), reason: "server_error", retryable: true },
    "a receiver that is unknown": { answer: says("RCPT", "550 5.1.1 no"), reason: "client_error", retryable: false },
    "a mail that is refused": { answer: says(".", "554 5.7.1 no"), reason: "client_error", retryable: false },
    "a mail that is too large": { answer: says(".", "552 5.3.4 large"), reason: "too_large", retryable: false },
  },
  lacks: {
    throttling:
      "SMTP has one class of answers for all that passes: a mail server that wants patience is not told from one that fails",
  },
} satisfies ClientServer<SmtpOptions>;
