import type { Kind, KubeObject, KubeReference } from "../../sdk/kubernetes.ts";
import type { Clock } from "../../time/clock.ts";
import type { MetadataCache } from "./cache.ts";
import { isTooLong } from "./weight.ts";

/** Resolves when all objects are known that can be, or when the bound is over; undefined: there is nothing to wait for. */
export type WaitFor = (references: readonly KubeReference[]) => Promise<void> | undefined;

export interface WaitParts {
  readonly cache: Pick<MetadataCache, "changed">;
  readonly find: (reference: KubeReference) => KubeObject | undefined;
  /** Whether objects of the kind can come. */
  readonly tells: (kind: Kind) => boolean;
  /** The bound, milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
}

/** Changes come in crowds: one look at the table serves those of so many milliseconds. */
const crowdMs = 10;
/** What was waited for in vain is not waited for again so soon: of what is refused or gone, events may be many. */
const vainForMs = 60_000;
const mostVain = 10_000;

export const createWait = ({ cache, find, tells, waitMs, clock }: WaitParts): WaitFor => {
  const vain = new Map<string, number>();
  const wasVain = (reference: KubeReference): boolean => {
    const at = vain.get(keyOf(reference));
    return at !== undefined && clock.ticks() - at < vainForMs;
  };
  const remember = (reference: KubeReference): void => {
    const key = keyOf(reference);
    vain.delete(key);
    vain.set(key, clock.ticks());
    const oldest = vain.size > mostVain ? vain.keys().next().value : undefined;
    if (oldest !== undefined) vain.delete(oldest);
  };
  const canCome = (one: KubeReference): boolean => namesObject(one) && (!one.kind || tells(one.kind)) && !wasVain(one);
  return (references) => {
    let missing = references.filter((one) => !find(one) && canCome(one));
    if (missing.length === 0 || waitMs <= 0) return undefined;
    return new Promise((resolve) => {
      let cancelLook: (() => void) | undefined;
      const done = (): void => {
        cancelBound();
        cancelLook?.();
        stopListening();
        for (const one of missing) remember(one);
        resolve();
      };
      const look = (): void => {
        cancelLook = undefined;
        missing = missing.filter((one) => !find(one));
        if (missing.length === 0) done();
      };
      const stopListening = cache.changed(() => {
        cancelLook ??= clock.after(crowdMs, look);
      });
      const cancelBound = clock.after(waitMs, () => {
        missing = missing.filter((one) => !find(one));
        done();
      });
    });
  };
};

/** Whether one object is meant, of a kind and with names that are kept: what senders call a pod may have any length. */
export const namesObject = ({ kind, uid, namespace, name, container }: KubeReference): boolean =>
  (container !== undefined || (kind !== undefined && (uid !== undefined || name !== undefined))) &&
  ![uid, namespace, name, container].some(isTooLong);

const keyOf = ({ kind, uid, namespace, name, container }: KubeReference): string =>
  [kind, uid, namespace, name, container].join(" ");
