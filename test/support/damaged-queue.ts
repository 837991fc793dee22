/** A small queue with a damaged page, as a hub finds it at its start. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { harm } from "./queue-damage.ts";
import { open } from "./queue-embedded.ts";
import { chunk } from "./queues.ts";

/** Twenty chunks of one event in `out:a`, of which the page of one body's text is damaged. */
export async function damagedQueue(dir: string): Promise<void> {
  const queue = open(dir);
  await queue.push(Array.from({ length: 20 }, (_, i) => chunk("out:a", `c${i}`, `${i} `.padEnd(20_000, "x"))));
  await queue.close();
  const file = join(dir, "queue.db");
  harm(file, statSync(file).size - 8192, 8192);
}
