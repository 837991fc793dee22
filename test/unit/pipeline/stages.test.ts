import assert from "node:assert/strict";
import { test } from "node:test";
import { alertLines } from "../../../src/pipeline/codec.ts";
import { eventLines } from "../../../src/pipeline/event-lines.ts";
import { routeStage } from "../../../src/pipeline/route.ts";
import { canWalkAtTheDoor, listStages, type Stage, type Stages } from "../../../src/pipeline/stages.ts";
import { walkAlerts, walkAtTheDoor, walkEvents } from "../../../src/pipeline/walk.ts";
import type { Chunk } from "../../../src/queue/queue.ts";
import type { Alert } from "../../../src/sdk/alert.ts";

const alert = (rule: string): Alert => ({
  uuid: "00000000-0000-4000-8000-000000000001",
  time: "2026-11-20T12:00:00Z",
  rule,
  priority: "Warning",
  source: "k8s_audit",
  output: "text",
  tags: [],
  output_fields: {},
  added: [],
});
const alerts = ["a", "b"].map(alert);
const posted = { id: "c", at: 5, body: alertLines.encode(alerts) };
const heard = { id: "c", at: 5, body: eventLines.encode([{ source: "k8s_audit", text: '{"auditID":"a"}' }]) };
const route = routeStage([
  { id: "all", takes: () => true },
  { id: "b", takes: ({ rule }) => rule === "b" },
]);
const plainly = <T>(work: () => T): T => work();

/** The whole list with a stage in each place that says its name and passes on what it was given. */
const told = () => {
  const said: string[] = [];
  const passing = <T>(name: string): Stage<T, readonly T[]> => ({
    name,
    run: async ({ id }, items) => {
      said.push(`${name} ${items.length} of ${id}`);
      return items;
    },
  });
  const stages: Stages = {
    enrich: [passing("enrich")],
    judge: {
      name: "judge",
      run: async (_, events) => {
        said.push(`judge ${events.length}`);
        return alerts;
      },
    },
    add: [],
    correlate: [passing("correlate"), passing("correlate again")],
    route,
    hold: [passing("hold")],
  };
  return { said, stages };
};

test("audit events walk the whole list, posted alerts what is behind the rules", async () => {
  const { said, stages } = told();
  const lanes = (chunks: readonly Chunk[]) => chunks.map(({ lane, count }) => [lane, count]);
  const outputs = [
    ["out:all", 2],
    ["out:b", 1],
  ];
  const behind = ["correlate 2 of c", "correlate again 2 of c", "hold 2 of c"];
  assert.deepEqual(lanes(await walkEvents(stages, heard, plainly)), outputs);
  assert.deepEqual(said, ["enrich 1 of c", "judge 1", ...behind]);
  said.length = 0;
  assert.deepEqual(lanes(await walkAlerts(stages, posted, plainly)), outputs);
  assert.deepEqual(said, behind);
});

test("a hub has rules and routes; without rules audit events end, and what matches nothing goes nowhere", async () => {
  assert.deepEqual(await walkEvents(listStages({ route }), heard, plainly), []);
  const judge: Stages["judge"] = { name: "judge", run: async () => [] };
  assert.deepEqual(await walkEvents(listStages({ judge, route }), heard, plainly), []);
  assert.equal((await walkAlerts(listStages({ route }), posted, plainly)).length, 2);
});

test("the synchronous part of every stage is run as work on the item in hand", async () => {
  const { said, stages } = told();
  const attended: number[] = [];
  await walkEvents(stages, heard, (work) => {
    const before = said.length;
    const result = work();
    attended.push(said.length - before);
    return result;
  });
  assert.deepEqual(attended, [1, 1, 1, 1, 0, 1]);
});

test("a stage that fails keeps its chunk where it is, and what is walked at the door is refused", async () => {
  const failing: Stage<Alert, readonly Alert[]> = { name: "correlate", run: () => Promise.reject(new Error("away")) };
  const stages = { ...listStages({ route }), correlate: [failing] };
  await assert.rejects(walkAlerts(stages, posted, plainly), /^Error: stage correlate: away$/);
  const pushed: (readonly Chunk[])[] = [];
  const push = async (chunks: readonly Chunk[]): Promise<void> => void pushed.push(chunks);
  await assert.rejects(walkAtTheDoor(stages, push)([{ ...posted, lane: "alerts", count: 2 }]), /away/);
  assert.deepEqual(pushed, []);
});

test("intake walks alerts itself where nothing behind the rules waits or looks elsewhere", () => {
  const { stages } = told();
  assert.equal(canWalkAtTheDoor(listStages({ route })), true);
  assert.equal(canWalkAtTheDoor(stages), false);
});

test("a body that is there is not written again for an output that takes all of it", async () => {
  const [all, part] = await walkAlerts(listStages({ route }), posted, plainly);
  assert.equal(all?.body, posted.body);
  assert.equal(part?.body, posted.body.split("\n")[1]);
});
