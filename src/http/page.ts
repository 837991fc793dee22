import { promisify } from "node:util";
import { constants, gzip as gzipWith } from "node:zlib";

const compress = promisify(gzipWith);

/** One text that any number of readers share, and its compressed form, made when it is first asked for. */
export interface Page {
  readonly plain: Buffer;
  gzip(): Promise<Buffer>;
}

/** Share of the time that making pages may take, and how much of it may be saved up, milliseconds. */
const share = 0.1;
const savings = 500;

/**
 * A page that is made anew for whoever asks, as long as that takes less than a tenth of the time; beyond, readers get the
 * last one for a moment. Readers that come while one is being made share it.
 */
export const createPage = (
  make: () => Promise<string>,
  now: () => number = () => performance.now(),
): (() => Promise<Page>) => {
  let left = savings;
  let seen = now();
  let last: Page | undefined;
  let making: Promise<Page> | undefined;

  const spend = (ms: number): void => {
    left -= ms;
  };
  const makeNew = async (): Promise<Page> => {
    const start = now();
    const plain = Buffer.from(await make());
    spend(now() - start);
    let packed: Promise<Buffer> | undefined;
    return {
      plain,
      gzip: () => {
        if (packed) return packed;
        const begun = now();
        packed = compress(plain, { level: constants.Z_BEST_SPEED });
        packed.then(
          () => spend(now() - begun),
          () => {},
        );
        return packed;
      },
    };
  };

  return async () => {
    if (making) return making;
    left = Math.min(savings, left + (now() - seen) * share);
    seen = now();
    if (last && left <= 0) return last;
    making = makeNew();
    try {
      last = await making;
      return last;
    } finally {
      making = undefined;
    }
  };
};
