import { setImmediate as turn } from "node:timers/promises";
import type { Logger } from "pino";
import { backoffMs, waitMs } from "../../../time/backoff.ts";
import type { Clock } from "../../../time/clock.ts";
import { type ApiFault, faultOf, type KubernetesApi, Unreadable } from "./api.ts";
import { readLines } from "./bounded.ts";
import { createListReader } from "./read-list.ts";
import { mapOf } from "./read-object.ts";
import { acceptOf, pathOf, type Resource } from "./resources.ts";
import { readWatchEvent } from "./watch-event.ts";

/** Who is told what there is of a resource. */
export interface Listener {
  /** New or changed; the answer is why it was left out. */
  put(object: unknown): string | undefined;
  remove(uid: string): void;
  /** Everything is told from its beginning; what is not told until `sweep` is gone. */
  mark(): void;
  /** Resolves with how many went. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

export interface FollowParts {
  readonly api: Pick<KubernetesApi, "get">;
  readonly listener: Listener;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears of each object, of each beginning of a watch, and of what was left out and why. */
  readonly heard: (what: "event" | "start" | "drop", why?: string) => void;
}

export interface Follow {
  state(): FollowState;
  /** Resolves when what it brought is gone. */
  close(): Promise<void>;
}

export interface FollowState {
  /** A watch is open. */
  readonly connected: boolean;
  /** The whole list has been read once. */
  readonly synced: boolean;
  /** Milliseconds since the last page or event; absent: none came yet. */
  readonly quietMs?: number;
  /** The service account may not read it. */
  readonly forbidden: boolean;
  /** What went wrong last, and nothing went well since. */
  readonly fault?: string;
}

const backoff = { initialMs: 1000, maxMs: 60_000 };
/** The server ends a watch after one to two of these. */
const watchMs = 5 * 60_000;
/** It has not ended a watch that it should have: the connection is dead. */
const overdueMs = 30_000;
/** A watch that lasted so long was none that failed, though nothing came. */
const goodAfterMs = 30_000;
/** No object of the API is so large. */
const maxLineBytes = 8 << 20;
/** Lines after which others have their turn. */
const linesInTurn = 100;
/** Gone, and what a server says of a version that it cannot have given: everything is listed anew. */
const forgotten: readonly (number | undefined)[] = [400, 404, 410, 504];

/**
 * Lists a resource, then watches it from there until it is closed: a watch that ends goes on where it was, and only a
 * version that the server knows no more, or an answer that cannot be read, begins a new list.
 */
export const openFollow = (resource: Resource, parts: FollowParts): Follow => new Following(resource, parts);

class Following implements Follow {
  readonly #resource: Resource;
  readonly #parts: FollowParts;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #readList: ReturnType<typeof createListReader>;
  /** Absent: a list is to be read. */
  #version: string | undefined;
  #failures = 0;
  #lastAt: number | undefined;
  #connected = false;
  #synced = false;
  #forbidden = false;
  #fault: string | undefined;
  /** The fault that the log has; kept until something goes well. */
  #told: string | undefined;

  constructor(resource: Resource, parts: FollowParts) {
    this.#resource = resource;
    this.#parts = parts;
    this.#readList = createListReader(resource, (path, accept, withinMs) => this.#get(path, accept, withinMs));
    this.#running = this.#run();
  }

  state(): FollowState {
    return {
      connected: this.#connected,
      synced: this.#synced,
      forbidden: this.#forbidden,
      ...(this.#lastAt !== undefined && { quietMs: this.#parts.clock.ticks() - this.#lastAt }),
      ...(this.#fault !== undefined && { fault: this.#fault }),
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#parts.listener.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let retryAfterMs: number | undefined;
      try {
        this.#version ??= await this.#list();
        await this.#watch(this.#version);
      } catch (error) {
        if (signal.aborted) return;
        const fault = faultOf(error);
        ({ retryAfterMs } = fault);
        this.#failed(fault);
      }
      this.#failures++;
      await this.#pause(waitMs(backoffMs(this.#failures, backoff, this.#parts.random), retryAfterMs));
    }
  }

  /** Told once, until something goes well or something else goes wrong. */
  #failed(fault: ApiFault): void {
    this.#fault = fault.message;
    if (fault.status !== undefined) this.#forbidden = fault.status === 403;
    if (forgotten.includes(fault.status) || fault instanceof Unreadable) this.#version = undefined;
    if (this.#told === fault.message) return;
    this.#told = fault.message;
    const { name: resource } = this.#resource;
    this.#parts.log.warn({ resource }, `the Kubernetes API: ${resource}: ${fault.message}${hintOf(fault)}`);
  }

  async #list(): Promise<string> {
    const { listener, log } = this.#parts;
    listener.mark();
    const version = await this.#readList((object) => this.#take(object));
    const objects = await listener.sweep();
    this.#synced = true;
    if (objects > 0) log.info({ resource: this.#resource.name, objects }, "objects that are listed no more are gone");
    return version;
  }

  async #watch(version: string): Promise<void> {
    const { clock, heard, random } = this.#parts;
    const lastsMs = watchMs * (1 + random());
    const query = new URLSearchParams({
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: version,
      timeoutSeconds: String(Math.ceil(lastsMs / 1000)),
    });
    const openedAt = clock.ticks();
    heard("start");
    const path = `${pathOf(this.#resource)}?${query}`;
    const body = await this.#get(path, acceptOf(this.#resource, "watch"), lastsMs + overdueMs);
    this.#connected = true;
    this.#forbidden = false;
    this.#fault = undefined;
    try {
      let lines = 0;
      for await (const line of readLines(body, maxLineBytes)) {
        const event = readWatchEvent(line);
        if (event.what === "put") this.#take(event.object);
        else if (event.what === "remove") this.#remove(event.object);
        this.#version = event.version;
        this.#lastAt = clock.ticks();
        this.#wentWell();
        if (++lines % linesInTurn === 0) await turn();
      }
    } finally {
      this.#connected = false;
      if (clock.ticks() - openedAt >= goodAfterMs) this.#wentWell();
    }
  }

  #wentWell(): void {
    this.#failures = 0;
    this.#told = undefined;
  }

  #take(object: unknown): void {
    const { heard, listener, clock } = this.#parts;
    this.#lastAt = clock.ticks();
    heard("event");
    const why = listener.put(object);
    if (why !== undefined) heard("drop", why);
  }

  #remove(object: unknown): void {
    this.#parts.heard("event");
    const { uid } = mapOf(mapOf(object).metadata);
    if (typeof uid === "string") this.#parts.listener.remove(uid);
    else this.#parts.heard("drop", "uid");
  }

  /** The body must have ended after `withinMs`. */
  async #get(path: string, accept: string, withinMs: number) {
    const late = new AbortController();
    const cancel = this.#parts.clock.after(withinMs, () => late.abort());
    try {
      const body = await this.#parts.api.get(path, accept, AbortSignal.any([this.#closing.signal, late.signal]));
      body.once("close", cancel);
      return body;
    } catch (error) {
      cancel();
      throw error;
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, done);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }
}

const hintOf = ({ status }: ApiFault): string => {
  if (status === 401) return ": the token of the service account is not taken";
  if (status === 403) return ": the service account may not list and watch it";
  return status === 410 ? ": it has forgotten where the watch was, everything is listed anew" : "";
};
