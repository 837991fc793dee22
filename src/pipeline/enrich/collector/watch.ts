import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { collectedKinds } from "../../../sdk/kubernetes.ts";
import { backoffMs } from "../../../time/backoff.ts";
import type { Clock } from "../../../time/clock.ts";
import type { CacheStream } from "../cache.ts";
import { whyRefused } from "../weight.ts";
import type { CollectorClient, CollectorEvent, Selector } from "./client.ts";
import { readObject } from "./read-object.ts";

export interface WatchParts {
  readonly client: Pick<CollectorClient, "watch">;
  readonly stream: CacheStream;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears of each event, of each beginning of a stream, and of what was left out and why. */
  readonly heard: (what: "event" | "start" | "drop", why?: string) => void;
}

export interface Watch {
  state(): WatchState;
  /** Resolves when what it brought is gone. */
  close(): Promise<void>;
}

export interface WatchState {
  /** The stream is open and something has come. */
  readonly connected: boolean;
  /** A whole telling has been heard once. */
  readonly synced: boolean;
  /** Milliseconds since the last event; absent: none came yet. */
  readonly quietMs?: number;
  /** Why the last stream ended. */
  readonly fault?: string;
}

const backoff = { initialMs: 1000, maxMs: 60_000 };
/** Nothing marks the end of a telling: it is over when no event came for so long. */
const quietAfterMs = 3000;
/** Nothing at all came: the node has no pods, or another client holds the collector up. */
const silentAfterMs = 5 * 60_000;
/** Collectors forget to tell that some objects are gone: everything is heard anew from time to time. */
const renewAfterMs = 30 * 60_000;

/** Follows one node at one collector until it is closed. */
export const openWatch = (nodeName: string, parts: WatchParts): Watch => {
  const { stream, log, clock, heard } = parts;
  let call: ClientReadableStream<CollectorEvent> | undefined;
  let failures = 0;
  let events = 0;
  let lastAt = clock.ticks();
  let synced = false;
  let fault: string | undefined;
  let cancel = (): void => {};

  const sweep = async (): Promise<void> => {
    const objects = await stream.sweep();
    synced = true;
    if (objects > 0)
      log.info({ node: nodeName, objects }, "objects that the metadata collector tells of no more are gone");
  };
  const lookForQuiet = (): void => {
    const left = (events > 0 ? quietAfterMs : silentAfterMs) - (clock.ticks() - lastAt);
    if (left > 0) cancel = clock.after(left, lookForQuiet);
    else {
      cancel = clock.after(renewAfterMs * (0.5 + parts.random()), renew);
      void sweep();
    }
  };
  const renew = (): void => {
    const old = call;
    begin();
    old?.cancel();
  };
  const begin = (): void => {
    stream.mark();
    [events, lastAt] = [0, clock.ticks()];
    heard("start");
    const opened = parts.client.watch(selectorOf(nodeName));
    call = opened;
    let why: string | undefined;
    // One that was cancelled may still bring what it had read, and calls its end a fault.
    opened.on("data", (event) => {
      if (call !== opened) return;
      events++;
      failures = 0;
      lastAt = clock.ticks();
      take(event, parts);
    });
    opened.on("error", (error) => {
      why = wordsOf(error);
    });
    opened.on("status", () => {
      if (call !== opened) return;
      fault = why;
      again();
    });
    cancel = clock.after(quietAfterMs, lookForQuiet);
  };
  const again = (): void => {
    call = undefined;
    cancel();
    failures++;
    const waitMs = backoffMs(failures, backoff, parts.random);
    log.warn({ node: nodeName, waitMs }, `the metadata collector's stream ended: ${fault ?? "it finished"}`);
    cancel = clock.after(waitMs, begin);
  };

  begin();
  return {
    state: () => ({
      connected: call !== undefined && events > 0,
      synced,
      ...(events > 0 && { quietMs: clock.ticks() - lastAt }),
      ...(fault !== undefined && { fault }),
    }),
    close: async () => {
      cancel();
      const open = call;
      call = undefined;
      open?.cancel();
      await stream.close();
    },
  };
};

const selectorOf = (nodeName: string): Selector => ({
  nodeName,
  resourceKinds: Object.fromEntries(collectedKinds.map((kind) => [kind, "true"])),
});

/** Puts one event into the cache, or says why not. */
const take = (event: CollectorEvent, { stream, heard }: WatchParts): void => {
  heard("event");
  if (event.reason === "Delete") {
    stream.remove(event.uid);
    return;
  }
  const object = event.reason === "Create" || event.reason === "Update" ? readObject(event) : "reason";
  if (typeof object === "string") heard("drop", object);
  else if (!stream.put(object)) heard("drop", whyRefused(object));
};

const wordsOf = (error: Error): string => {
  const { code, details }: Partial<ServiceError> = error;
  return code === undefined ? error.message : `${details} (${code})`;
};
