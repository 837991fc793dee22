import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Metrics } from "../metrics/metrics.ts";
import type { Family } from "./app.ts";

const compress = promisify(gzip);

/** `/metrics`, any method; compressed for a scraper that asks. */
export const scrape =
  (metrics: Metrics): Family =>
  (router) => {
    router.all("/metrics", async (ctx) => {
      const text = await metrics.expose();
      ctx.set("Content-Type", metrics.contentType);
      ctx.vary("Accept-Encoding");
      if (ctx.acceptsEncodings("gzip", "identity") === "gzip") {
        ctx.set("Content-Encoding", "gzip");
        ctx.body = await compress(text);
      } else {
        ctx.body = text;
      }
    });
  };
