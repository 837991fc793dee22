/** Memory for the jobs of a Redis lane: they are fetched before they can be weighed, so one more than may be handled is. */

import { createTenant, type Grant, type Memory } from "../memory.ts";

export interface Ration {
  /** Resolves when a job of this weight may be unpacked and handled, in the order of the calls; undefined: closed. */
  enter(weight: number): Promise<Grant | undefined>;
  leave(grant: Grant | undefined): void;
  /** What became of the last item. */
  ended(last: "taken" | "failed"): void;
  close(): void;
}

/** `fetch` is told how many jobs the lane may have at a time. */
export function openRation(memory: Memory, parallel: number, fetch: (jobs: number) => void): Ration {
  const waiting: { readonly weight: number; readonly go: (grant: Grant | undefined) => void }[] = [];
  let held = 0;
  let closed = false;

  const serve = () => {
    for (let first = waiting[0]; first; first = waiting[0]) {
      const grant = memory.take(tenant, first.weight);
      if (!grant) break;
      held++;
      waiting.shift();
      first.go(grant);
    }
    // While one waits no other is fetched.
    fetch(waiting.length > 0 ? Math.max(1, held) : parallel);
  };
  const tenant = createTenant(serve);

  return {
    enter: (weight) =>
      new Promise((go) => {
        if (closed) return go(undefined);
        waiting.push({ weight, go });
        serve();
      }),
    leave: (grant) => {
      if (!grant) return;
      held--;
      memory.give(grant);
      if (!closed) serve();
    },
    ended: (last) => {
      tenant.last = last;
    },
    close: () => {
      closed = true;
      memory.leave(tenant);
      for (const { go } of waiting.splice(0)) go(undefined);
    },
  };
}
