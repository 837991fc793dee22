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

export function createRecovery(core: Core, path: string, room: RescueRoom): Recovery {
  const reports = new Map<string, Report | undefined>(keptAside(path).map((name) => [name, readReport(name)]));
  const sizes = new Map([...reports.keys()].map((name) => [name, asideBytes(name)]));
  let [running, finished]: [Generator<Pause, Outcome> | undefined, Outcome | undefined] = [undefined, undefined];
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const current = () => [...reports].find(([, report]) => report === undefined)?.[0];

  /** One piece of work; false: there is nothing to do now. */
  const step = (name: string): boolean => {
    if (!finished) {
      running ??= rescue(core, name, room);
      const { done, value } = running.next();
      if (!done) return value === "worked";
      finished = value;
    }
    const { saved, lost } = finished;
    const report = { saved: Object.fromEntries(saved), lost: Object.fromEntries(lost) };
    try {
      writeReport(name, report);
      // What is told in the report need not be told twice.
      core.store.dropMetaUnder(rescueKey(name));
    } catch (error) {
      core.failed(error);
      return false;
    }
    [running, finished] = [undefined, undefined];
    reports.set(name, report);
    core.log("warn", `queue: ${textOf(name, sizes.get(name) ?? 0, report)}`);
    return true;
  };

  /** False: it waits for room, or for the disk. */
  const run = (budgetMs: number): boolean => {
    const end = performance.now() + budgetMs;
    for (let name = current(); name !== undefined && !core.sick; name = current()) {
      if (!step(name)) return false;
      if (performance.now() >= end) return true;
    }
    return true;
  };

  const plan = (ms: number) => {
    if (timer || stopped || current() === undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      let more = false;
      try {
        more = run(sliceMs);
      } catch (error) {
        // Begun anew, it goes on from the place that was kept.
        running = undefined;
        core.failed(error);
      }
      plan(more ? restMs : waitMs);
    }, ms);
  };

  return {
    run,
    start: () => plan(0),
    add: (name) => {
      reports.set(name, undefined);
      sizes.set(name, asideBytes(name));
      plan(0);
    },
    look: () => {
      const there = new Set(keptAside(path));
      for (const [name, report] of reports) if (report && !there.has(name)) reports.delete(name);
    },
    state: () => {
      if (reports.size === 0) return undefined;
      const lost: Record<string, number> = {};
      for (const report of reports.values())
        for (const [lane, { events, letters }] of Object.entries(report?.lost ?? {}))
          lost[lane] = (lost[lane] ?? 0) + events + letters;
      const bytes = [...reports.keys()].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
      return { files: [...reports.keys()].map((n) => basename(n)), bytes, reading: current() !== undefined, lost };
    },
    warnings: () => [...reports].map(([name, report]) => textOf(name, sizes.get(name) ?? 0, report)),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      running?.return(undefined as never);
    },
  };
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
