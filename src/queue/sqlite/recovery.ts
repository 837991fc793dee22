/** The damaged files of a queue: reads them back one after another beside the living one, and says what came of it. */

import { basename } from "node:path";
import type { Damaged, Original, Tally } from "../queue.ts";
import { asideBytes, keptAside, readReport, writeReport } from "./aside.ts";
import type { Pause, RescueRoom } from "./bring-back.ts";
import type { Core } from "./core.ts";
import { type Outcome, rescue, rescueKey } from "./rescue.ts";

type Report = NonNullable<Original["report"]>;

export interface Recovery {
  /** Reads for so long, milliseconds. False: it waits for room, or for the disk. */
  run(budgetMs: number): boolean;
  /** Goes on in the background until everything is read. */
  start(): void;
  /** A file was moved aside. */
  add(name: string): void;
  /** Looks which files are still there. */
  look(): void;
  state(): Damaged | undefined;
  warnings(): string[];
  stop(): void;
}

/** One slice of reading, and the rest after it, milliseconds: deliveries go on beside it. */
const [sliceMs, restMs, waitMs] = [8, 4, 200];

export const createRecovery = (core: Core, path: string, room: RescueRoom): Recovery => new Readings(core, path, room);

class Readings implements Recovery {
  readonly #core: Core;
  readonly #path: string;
  readonly #room: RescueRoom;
  /** By the file's name, oldest first; undefined: it is not read yet. */
  readonly #reports: Map<string, Report | undefined>;
  readonly #sizes: Map<string, number>;
  #running: Generator<Pause, Outcome> | undefined;
  #finished: Outcome | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(core: Core, path: string, room: RescueRoom) {
    this.#core = core;
    this.#path = path;
    this.#room = room;
    this.#reports = new Map(keptAside(path).map((name) => [name, readReport(name)]));
    this.#sizes = new Map([...this.#reports.keys()].map((name) => [name, asideBytes(name)]));
  }

  run(budgetMs: number): boolean {
    const end = performance.now() + budgetMs;
    for (let name = this.#current(); name !== undefined && !this.#core.sick; name = this.#current()) {
      if (!this.#step(name)) return false;
      if (performance.now() >= end) return true;
    }
    return true;
  }

  start(): void {
    this.#plan(0);
  }

  add(name: string): void {
    this.#reports.set(name, undefined);
    this.#sizes.set(name, asideBytes(name));
    this.#plan(0);
  }

  look(): void {
    const there = new Set(keptAside(this.#path));
    for (const [name, report] of this.#reports) if (report && !there.has(name)) this.#reports.delete(name);
  }

  state(): Damaged | undefined {
    const names = [...this.#reports.keys()];
    if (names.length === 0) return undefined;
    const lost: Record<string, number> = {};
    for (const report of this.#reports.values())
      for (const [lane, { events, letters }] of Object.entries(report?.lost ?? {}))
        lost[lane] = (lost[lane] ?? 0) + events + letters;
    const bytes = names.reduce((sum, name) => sum + (this.#sizes.get(name) ?? 0), 0);
    return { files: names.map((n) => basename(n)), bytes, reading: this.#current() !== undefined, lost };
  }

  warnings(): string[] {
    return [...this.#reports].map(([name, report]) => textOf(name, this.#sizes.get(name) ?? 0, report));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#running?.return(undefined as never);
  }

  #current(): string | undefined {
    return [...this.#reports].find(([, report]) => report === undefined)?.[0];
  }

  /** One piece of work; false: there is nothing to do now. */
  #step(name: string): boolean {
    if (!this.#finished) {
      this.#running ??= rescue(this.#core, name, this.#room);
      const { done, value } = this.#running.next();
      if (!done) return value === "worked";
      this.#finished = value;
    }
    const { saved, lost } = this.#finished;
    const report = { saved: Object.fromEntries(saved), lost: Object.fromEntries(lost) };
    try {
      writeReport(name, report);
      // What is told in the report need not be told twice.
      this.#core.store.dropMetaUnder(rescueKey(name));
    } catch (error) {
      this.#core.failed(error);
      return false;
    }
    this.#running = undefined;
    this.#finished = undefined;
    this.#reports.set(name, report);
    this.#core.log("warn", `queue: ${textOf(name, this.#sizes.get(name) ?? 0, report)}`);
    return true;
  }

  #plan(ms: number): void {
    if (this.#timer || this.#stopped || this.#current() === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      let more = false;
      try {
        more = this.run(sliceMs);
      } catch (error) {
        // Begun anew, it goes on from the place that was kept.
        this.#running = undefined;
        this.#core.failed(error);
      }
      this.#plan(more ? restMs : waitMs);
    }, ms);
  }
}

const sum = (tallies: Readonly<Record<string, Tally>>, what: keyof Tally): number =>
  Object.values(tallies).reduce((total, tally) => total + tally[what], 0);

function textOf(name: string, bytes: number, report: Report | undefined): string {
  const kept = `the queue file was damaged and is kept as ${basename(name)} (${bytes} bytes)`;
  if (!report) return `${kept}: it is being read back`;
  const { saved, lost } = report;
  const gone = sum(lost, "events") + sum(lost, "letters");
  return (
    `${kept} until it is deleted: ${sum(saved, "events")} events and ${sum(saved, "letters")} events in dead letters ` +
    `were saved, ${gone} events could not be read`
  );
}
