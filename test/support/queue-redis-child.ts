/** A process to be killed: consumes lane k of the Redis in argv[2] as argv[3] says; argv[4] is its file of what it handles. */

import { noHandling, openHandling } from "../../src/queue/handling.ts";
import { openQueue } from "../../src/queue/open.ts";
import type { Settlement } from "../../src/queue/queue.ts";
import { openRedisQueue } from "../../src/queue/redis/driver.ts";
import { chunk, countingHandle } from "./queues.ts";

const [url = "", what = "", file = ""] = process.argv.slice(2);
if (what === "spill") {
  // Cannot move what its spill in `file` holds to a Redis that is away.
  await openQueue({ driver: "redis", durability: "normal", datadir: file, redis: { url } }, { now: Date.now });
  process.stdout.write("open\n");
}
const queue = openRedisQueue({
  url,
  now: Date.now,
  lockMs: 300,
  handling: what === "spill" ? noHandling : openHandling(file),
});
const never = () => new Promise<Settlement>(() => {});

if (what === "die") queue.consume("k", () => process.kill(process.pid, "SIGKILL") && never(), 1);
// Counts the events of k in its state and makes a child of each; a line says that it still does.
else if (what === "count") {
  const handle = countingHandle(queue, "k", "x");
  queue.consume(
    "k",
    async (item) => {
      process.stdout.write(`${item.id}\n`);
      return handle(item);
    },
    4,
  );
}
// Takes everything in hand, as before a destination that never answers.
else if (what === "hang")
  queue.consume(
    "k",
    async ({ id }) => {
      process.stdout.write(`${id}\n`);
      return never();
    },
    64,
  );
// One line of the item is refused; its child is for a lane that cannot take it.
else if (what === "refuse")
  queue.consume(
    "k",
    async (item) => ({
      dead: [{ body: item.body.split("\n")[0] ?? "", count: 1, why: "client_error: HTTP 400" }],
      next: [chunk("blocked", "child")],
    }),
    1,
  );
