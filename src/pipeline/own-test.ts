import type { Alert } from "../sdk/alert.ts";

const own = new WeakSet<Alert>();

/** Remembers alerts as made by the hub itself, to try its outputs; nothing that a sender writes does that. */
export const markOwnTest = (alerts: readonly Alert[]): void => {
  for (const alert of alerts) own.add(alert);
};

export const isOwnTest = (alert: Alert): boolean => own.has(alert);
