/** A process to be killed: consumes a lane of the Redis in argv[2] and dies with the first item in hand. */

import { openRedisQueue } from "../../src/queue/bullmq.ts";

const queue = openRedisQueue({ url: process.argv[2] ?? "", now: Date.now, lockMs: 300 });
queue.consume("k", () => process.kill(process.pid, "SIGKILL") && new Promise(() => {}), 1);
