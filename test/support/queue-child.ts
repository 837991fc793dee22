/** A process to be killed: opens the embedded queue in argv[2] and does what argv[3] says. */

import { openSqliteQueue } from "../../src/queue/sqlite/driver.ts";
import { lanes } from "./queue-damage.ts";
import { chunk, countingHandle } from "./queues.ts";

const [dir = "", what = "", count = "0"] = process.argv.slice(2);
if (what === "drain") process.stdout.write("start\n");
const queue = openSqliteQueue({ dir, durability: "normal", now: Date.now });

if (what === "push") {
  // Each line says that the chunk before it was accepted. Pushes overlap, as intake's do.
  const one = async (start: number) => {
    for (let n = start; n < Number(count); n += 4) {
      await queue.push([chunk("k", `k${n}`, `body ${n}`)]);
      process.stdout.write(`k${n}\n`);
    }
  };
  await Promise.all([0, 1, 2, 3].map(one));
  process.stdout.write("end\n");
  setInterval(() => {}, 1000);
} else if (what === "later") {
  // Each line says that the chunk before it was accepted; all are due `count` milliseconds after that.
  for (let n = 0; ; n++) {
    await queue.push([chunk("k", `k${n}`, `body ${n}`, { inMs: Number(count) })]);
    process.stdout.write(`k${n}\n`);
  }
} else if (what === "count") {
  // Counts the events of k in its state and makes a child of each; a line says that it still does.
  const handle = countingHandle(queue, "k", "x");
  queue.consume(
    "k",
    async (item) => {
      process.stdout.write(`${item.id}\n`);
      return handle(item);
    },
    4,
  );
} else if (what === "die") {
  queue.consume("k", () => process.kill(process.pid, "SIGKILL") && new Promise(() => {}), 1);
} else if (what === "hang") {
  // Takes everything in hand, as before a destination that never answers.
  queue.consume(
    "k",
    async ({ id }) => {
      process.stdout.write(`${id}\n`);
      return new Promise(() => {});
    },
    64,
  );
} else if (what === "drain") {
  // Each line says what was delivered, before it is settled.
  for (const lane of lanes) {
    queue.consume(
      lane,
      async ({ id }) => {
        process.stdout.write(`${lane} ${id}\n`);
        return {};
      },
      2,
    );
  }
  setInterval(() => {}, 1000);
} else if (what === "hold") {
  process.stdout.write("open\n");
  setInterval(() => {}, 1000);
} else if (what === "route") {
  // Moves chunks from k to two lanes until it is killed.
  queue.consume("k", async (item) => ({ next: ["x", "y"].map((lane) => ({ ...item, lane })) }), 4);
  process.stdout.write("open\n");
}
