import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** What became of a batch, and how many POSTs it took. */
export interface Delivery {
  readonly delivered: boolean;
  readonly posts: number;
}

export interface AuditClient {
  send(path: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<Delivery>;
  close(): void;
}

/**
 * kube-apiserver's webhook client as measured: five tries of the same bytes whatever goes wrong, a 429 or 5xx with
 * Retry-After repeated ten times within a try, 30 s for an answer, connections kept. `initialMs` is its first backoff,
 * 10,000 by default there.
 */
export const openAuditClient = (port: number, initialMs: number): AuditClient => {
  const agent = new Agent({ keepAlive: true });
  const post = (path: string, headers: Readonly<Record<string, string>>, body: Buffer) =>
    new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
      const sent = request(
        { agent, host: "127.0.0.1", port, path, method: "POST", headers, timeout: 30_000 },
        (reply) => {
          reply.resume().on("error", reject);
          reply.on("end", () => resolve({ status: reply.statusCode ?? 0, retryAfter: reply.headers["retry-after"] }));
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("no answer")));
      sent.on("error", reject).end(body);
    });
  return {
    send: async (path, headers, body) => {
      let posts = 0;
      for (const gap of [1, 1.5, 2.25, 3.4, 0]) {
        for (let repeat = 0; repeat <= 10; repeat++) {
          posts++;
          const reply = await post(path, headers, body).catch(() => undefined);
          if (reply && reply.status >= 200 && reply.status < 300) return { delivered: true, posts };
          if (!reply || reply.retryAfter === undefined || !(reply.status === 429 || reply.status >= 500)) break;
          await sleep(Number(reply.retryAfter) * 1000);
        }
        await sleep(gap * initialMs * (1 + 0.2 * Math.random()));
      }
      return { delivered: false, posts };
    },
    close: () => agent.destroy(),
  };
};
