/** Who may be handled now: many at a time, or one that must be alone. First come, first served. */
export interface Turns {
  /** Undefined: at once. Each entry is followed by `leave`. */
  enter(alone: boolean): Promise<void> | undefined;
  leave(): void;
}

export function openTurns(): Turns {
  let inHand = 0;
  let alone = false;
  const waiting: { readonly alone: boolean; go(): void }[] = [];
  const free = (lone: boolean) => !alone && (!lone || inHand === 0);
  const take = (lone: boolean) => {
    inHand++;
    alone = lone;
  };
  return {
    enter: (lone) => {
      if (waiting.length > 0 || !free(lone)) return new Promise((go) => waiting.push({ alone: lone, go }));
      take(lone);
      return undefined;
    },
    leave: () => {
      inHand--;
      alone = false;
      for (let next = waiting[0]; next && free(next.alone); next = waiting[0]) {
        waiting.shift();
        take(next.alone);
        next.go();
      }
    },
  };
}
