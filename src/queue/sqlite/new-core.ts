/** What an opened file, the settings and the process's clocks begin with. */

import { join } from "node:path";
import { openHandling, reasonOf } from "../handling.ts";
import { createMemory } from "../memory.ts";
import type { Core } from "./core.ts";
import { dispatch } from "./handout.ts";
import { createCache } from "./lane.ts";
import type { OpenedStore } from "./open.ts";
import type { SqliteSettings } from "./settings.ts";
import { createStates } from "./states.ts";
import { emptyBatch } from "./write.ts";

export function createCore(settings: SqliteSettings, opened: OpenedStore): Core {
  const { dir, now } = settings;
  const memory = settings.memory ?? createMemory();
  const clock = clockOf(settings);
  const core: Core = {
    store: opened.store,
    states: createStates(() => core.store.state, clock, opened.store.state.newest()),
    lanes: new Map(),
    cache: createCache(memory.cacheBytes),
    memory,
    wake: (lane) => dispatch(core, lane),
    batch: emptyBatch(),
    clock,
    now,
    log: settings.log ?? (() => {}),
    handling: openHandling(join(dir, "handling")),
    throwDelayMs: settings.throwDelayMs ?? 1000,
    warnings: [...opened.warnings],
    putAside: (lane, why, events) => {
      const text = `${events} events in lane ${lane} became dead letters (${why})`;
      core.warnings.push(text);
      core.log("error", `queue: ${text}`);
      settings.onDead?.(lane, reasonOf(why), events);
    },
    dropped: settings.onDropped ?? (() => {}),
    writable: true,
    closed: false,
    volatile: opened.volatile,
    checked: opened.checked,
    sick: false,
    finished: new Map(),
    walFd: undefined,
    seq: opened.seq,
    bodySeq: opened.store.maxSeq().body,
    laneKey: 0,
    schedule: () => {},
    failed: () => {},
  };
  for (const warning of opened.warnings) core.log("warn", `queue: ${warning}`);
  return core;
}

function clockOf({ now, monotonic = () => performance.now() }: SqliteSettings): () => number {
  const [wall, zero] = [now(), monotonic()];
  return () => wall + monotonic() - zero;
}
