import { isDeepStrictEqual } from "node:util";
import { Pool } from "undici";
import type { Received } from "../fakes/http-sink.ts";
import { falcoAlert } from "./alerts.ts";

/**
 * Keeps promises: an alert whose 2xx was read is an obligation. `judge` says what became of them: `lost` was promised and did
 * not arrive, `unknown` arrived and was never sent, `changed` arrived with other bytes than the first time or other content
 * than was sent, `repeated` counts arrivals beyond the first.
 */
export const openOracle = () => {
  const promised = new Set<number>();
  let sent = 0;
  return {
    promised,
    sent: () => sent,
    /** Posts without pause over `connections` until stopped or until the other side is gone; resolves with the statuses. */
    send: (url: string, connections = 16) => {
      const pool = new Pool(url, { connections });
      const statuses: Record<string, number> = {};
      let stopped = false;
      const one = async (): Promise<void> => {
        while (!stopped) {
          const n = sent++;
          try {
            const reply = await pool.request({ method: "POST", path: "/", body: JSON.stringify(falcoAlert(n)) });
            await reply.body.dump();
            if (reply.statusCode < 300) promised.add(n);
            statuses[reply.statusCode] = (statuses[reply.statusCode] ?? 0) + 1;
          } catch {
            // No answer, no obligation; the door is closed, so this connection is done.
            statuses.error = (statuses.error ?? 0) + 1;
            return;
          }
        }
      };
      const ended = Promise.all(Array.from({ length: connections }, one));
      return {
        statuses,
        answered: () => Object.values(statuses).reduce((a, b) => a + b, 0),
        stop: async () => {
          stopped = true;
          await ended;
          await pool.destroy();
          return statuses;
        },
      };
    },
    /** What of the obligations is not among the deliveries of a webhook. */
    missing: (requests: readonly Received[]): number[] => {
      const got = new Set(requests.map(numberOf));
      return [...promised].filter((n) => !got.has(n));
    },
    judge: (requests: readonly Received[]) => {
      const bodies = new Map<number, string>();
      const unknown: string[] = [];
      const changed: number[] = [];
      let repeated = 0;
      for (const request of requests) {
        const n = numberOf(request);
        if (!(n >= 0 && n < sent)) {
          unknown.push(request.body);
          continue;
        }
        const before = bodies.get(n);
        if (before !== undefined) repeated += 1;
        if (before === undefined ? !same(request.body, n) : before !== request.body) changed.push(n);
        bodies.set(n, request.body);
      }
      return { lost: [...promised].filter((n) => !bodies.has(n)), unknown, changed, repeated };
    },
  };
};

/** The alert's number, read from its uuid. */
const numberOf = ({ body }: Received): number =>
  Number(/"uuid":"00000000-0000-4000-8000-(\d{12})"/.exec(body)?.[1] ?? -1);

const same = (body: string, n: number): boolean => isDeepStrictEqual(JSON.parse(body), falcoAlert(n));
