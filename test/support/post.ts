import { Pool } from "undici";

export interface Posted {
  /** Indexes whose 2xx was read: the obligations. */
  readonly accepted: readonly number[];
  readonly statuses: Readonly<Record<string, number>>;
}

/**
 * Posts `count` bodies over kept connections, each once; a connection that breaks counts as `error`. `progress` is told
 * the number of answers so far.
 */
export const postAll = async (
  url: string,
  count: number,
  body: (index: number) => unknown,
  options: { readonly connections?: number; readonly progress?: (answered: number) => void } = {},
): Promise<Posted> => {
  const pool = new Pool(url, { connections: options.connections ?? 16 });
  const accepted: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  let answered = 0;
  const sender = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      let status = "error";
      try {
        const reply = await pool.request({ method: "POST", path: "/", body: JSON.stringify(body(i)) });
        await reply.body.dump();
        status = String(reply.statusCode);
        if (reply.statusCode < 300) accepted.push(i);
      } catch {
        // The process was killed under the request: no obligation.
      }
      statuses[status] = (statuses[status] ?? 0) + 1;
      options.progress?.(++answered);
    }
  };
  await Promise.all(Array.from({ length: options.connections ?? 16 }, sender));
  await pool.destroy();
  return { accepted, statuses };
};
