import type { Gate } from "./gate.ts";

/** At most `most` attempts in flight. */
export const concurrency = (most: number): Gate & { inFlight(): number } => {
  let flying = 0;
  return {
    wait: () => (flying < most ? 0 : Infinity),
    enter: () => {
      flying += 1;
    },
    leave: () => {
      flying -= 1;
    },
    inFlight: () => flying,
  };
};
