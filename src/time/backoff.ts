/** `attempts` are those made so far (1 after the first failure); the answer is in milliseconds, with full jitter below the cap. */
export const backoffMs = (
  attempts: number,
  limits: { readonly initialMs: number; readonly maxMs: number },
  random: () => number,
): number => {
  const ceiling = Math.min(limits.initialMs * 2 ** Math.min(Math.max(attempts - 1, 0), 52), limits.maxMs);
  return Math.ceil(random() * ceiling);
};

/** The destination's own wait is a floor under the backoff, never a replacement. */
export const waitMs = (backoff: number, retryAfter: number | undefined): number => Math.max(backoff, retryAfter ?? 0);
