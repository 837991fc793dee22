import type { ClientServer } from "../support/client-server.ts";

type Write = typeof process.stdout.write;
type Done = (error?: Error | null) => void;

/** This process's standard output, as far as alerts are written to it; the rest is the test runner's. */
export default {
  open: async ({ answer, fault }) => {
    const written: string[] = [];
    const waiting: Done[] = [];
    const real = process.stdout.write;
    const caught = (text: string, done?: Done): boolean => {
      // The test runner's own lines ask for no answer.
      if (typeof done !== "function") return real.call(process.stdout, text);
      if (fault === "hang") waiting.push(done);
      else {
        if (!answer) written.push(text);
        done(answer ? Object.assign(new Error("write EPIPE"), { code: answer }) : null);
      }
      return true;
    };
    process.stdout.write = caught as Write;
    return {
      settings: () => ({ enabled: true }),
      arrived: () => written.join(""),
      connections: () => 0,
      poured: () => 0,
      close: async () => {
        process.stdout.write = real;
        for (const done of waiting) done();
      },
    };
  },
  refusals: { "a reader that went away": { answer: "EPIPE", reason: "network", retryable: true } },
  lacks: {
    connection: "standard output is there from the start",
    partial: "a batch is written in one piece",
    throttling: "a pipe does not ask for patience",
    tls: "standard output is there from the start",
  },
} satisfies ClientServer<string>;
