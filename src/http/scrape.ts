import type { ServerResponse } from "node:http";
import type { Metrics } from "../metrics/metrics.ts";
import type { Family } from "./app.ts";
import { type AuthSettings, createAuth } from "./auth.ts";
import { overloaded } from "./errors.ts";
import { createPage } from "./page.ts";

/** Answers of this path that are on their way together. */
const maxScrapes = 8;
/** A scrape that is slower than this may be cut in favour of another, and is cut at the deadline; milliseconds. */
const graceMs = 1000;
const deadlineMs = 10_000;

/** `/metrics`, any method, for who shows `prometheus.token` when there is one; compressed for a scraper that asks. */
export const scrape = (metrics: Metrics, auth: () => AuthSettings): Family => {
  const authorize = createAuth(auth);
  const page = createPage(() => metrics.expose());
  const seats = createSeats();
  return (router) => {
    router.all("/metrics", async (ctx) => {
      authorize(ctx.req.headers.authorization);
      seats.take(ctx.res);
      const { plain, gzip } = await page();
      ctx.set("Content-Type", metrics.contentType);
      ctx.vary("Accept-Encoding");
      if (ctx.acceptsEncodings("gzip", "identity") === "gzip") {
        ctx.set("Content-Encoding", "gzip");
        ctx.body = await gzip();
      } else {
        ctx.body = plain;
      }
    });
  };
};

/** Bounds the answers that are being read. Throws HttpError 503 when none of them is slow. */
const createSeats = () => {
  const taken = new Map<ServerResponse, number>();
  const cut = (res: ServerResponse): void => {
    taken.delete(res);
    res.destroy();
  };
  return {
    take: (res: ServerResponse): void => {
      const [oldest] = taken;
      if (taken.size >= maxScrapes) {
        if (!oldest || performance.now() - oldest[1] < graceMs) throw overloaded("too many scrapes at once");
        cut(oldest[0]);
      }
      taken.set(res, performance.now());
      const deadline = setTimeout(cut, deadlineMs, res);
      res.once("close", () => {
        clearTimeout(deadline);
        taken.delete(res);
      });
    },
  };
};
