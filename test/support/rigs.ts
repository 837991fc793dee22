import { after } from "node:test";
import type { OutputInstance } from "../../src/config/types.ts";
import type { OutcomeListener } from "../../src/deliver/outcomes.ts";
import { makeAlert, openRig, type Rig } from "../fakes/delivery.ts";
import { type HttpSink, openHttpSink, type SinkOptions } from "../fakes/http-sink.ts";

/** Sinks and rigs of one test file, closed at its end; `rigs` are those opened so far. */
export const rigsOfFile = () => {
  const open: { close(): Promise<void> }[] = [];
  const rigs: Rig[] = [];
  after(() => Promise.all(open.map((one) => one.close())));
  return {
    rigs,
    newSink: async (options?: SinkOptions): Promise<HttpSink> => {
      const sink = await openHttpSink(options);
      open.push(sink);
      return sink;
    },
    newRig: async (
      instance: OutputInstance,
      random?: () => number,
      listeners: readonly OutcomeListener[] = [],
    ): Promise<Rig> => {
      const rig = await openRig(instance, random, undefined, listeners);
      open.push({ close: () => rig.delivery.close(0) });
      rigs.push(rig);
      return rig;
    },
  };
};

export const numbered = (count: number) => Array.from({ length: count }, (_, i) => makeAlert(String(i)));
