import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { openFile } from "../../../../sources/k8saudit/file.ts";
import type { OpenSource } from "../../../../src/sdk/source.ts";
import { until } from "../../../support/until.ts";
import { auditEvent } from "../../audit/support.ts";
import { type Hub, makeHub } from "./hub.ts";

/** A followed file, its hub, and what is done with both. */
export interface FollowedLog {
  readonly file: string;
  readonly hub: Hub;
  /** Starts the follower; where one ran before it goes on at the checkpoint. */
  start(fromEnd?: boolean): Promise<OpenSource>;
  write(...ids: string[]): Promise<void>;
  /** Waits for exactly these, in this order. */
  heard(...ids: string[]): Promise<void>;
}

export const lines = (ids: readonly string[]): string => ids.map((id) => `${auditEvent({}, id)}\n`).join("");

export const makeLog = async (t: TestContext): Promise<FollowedLog> => {
  const folder = await mkdtemp(join(tmpdir(), "rotation-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "audit.log");
  const hub = makeHub();
  const ids = (): string => hub.taken.map(({ text }) => JSON.parse(text).auditID).join();
  return {
    file,
    hub,
    start: async (fromEnd = false) => {
      const settings = { path: file, follow: true, fromEnd, pollMs: 2, maxEventBytes: 1e6 };
      const source = await openFile(settings, hub.host, Readable.from([]));
      t.after(() => source.close());
      return source;
    },
    write: (...written) => appendFile(file, lines(written)),
    heard: async (...wanted) => {
      await until(wanted.join(), () => ids().length >= wanted.join().length);
      assert.equal(ids(), wanted.join());
    },
  };
};

export const logged = (hub: Hub, pattern: RegExp): number => hub.logged.filter(({ msg }) => pattern.test(msg)).length;
