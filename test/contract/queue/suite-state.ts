/** What every queue driver promises of state that changes with settlements; part of suite.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Handle, Queue } from "../../../src/queue/queue.ts";
import { mostKeyBytes, mostValueBytes, type StateChange } from "../../../src/queue/state.ts";
import { chunk, countingHandle, recorder } from "../../support/queues.ts";
import { until } from "../../support/until.ts";

export function state(queue: () => Queue, lane: () => string, reopen: () => Promise<void>): void {
  const value = async (l: string, key: string) => (await queue().state(l).get(key))?.value;
  const empty = async (l: string) => {
    const { waiting, active, delayed } = await queue().depth(l);
    return waiting + active + delayed === 0;
  };
  /** Settles one item of the lane with the changes. */
  const change = async (l: string, ...changes: StateChange[]) => {
    await queue().push([chunk(l, `change ${performance.now()}`)]);
    const { handle } = recorder(() => ({ state: changes }));
    const consumer = queue().consume(l, handle, 1);
    await until("settled", () => empty(l));
    await consumer.close(1000);
  };
  test("keys are set, read, set again and deleted with settlements, each lane its own, and stay over a restart", async () => {
    const [l, m] = [lane(), lane()];
    assert.equal(await queue().state(l).get("a"), undefined);
    await change(l, { key: "a", value: "one" }, { key: "ü b\n{}", value: "line\nbreak €" }, { key: "c", value: "" });
    const first = await queue().state(l).get("a");
    assert.equal(first?.value, "one");
    assert.equal(await value(m, "a"), undefined);
    await change(l, { key: "a", value: "two" });
    const second = await queue().state(l).get("a");
    assert.equal(second?.value, "two");
    assert.notEqual(second?.version, first?.version);
    await change(l, { key: "c" });
    await reopen();
    assert.deepEqual(await queue().state(l).get("a"), second);
    assert.deepEqual(await Promise.all(["ü b\n{}", "c"].map((key) => value(l, key))), ["line\nbreak €", undefined]);
    assert.deepEqual(await queue().depth(l), { waiting: 0, active: 0, delayed: 0, dead: 0 });
  });

  test("a settlement that read what has changed since is refused as a whole, and its item handled again", async () => {
    const [l, x] = [lane(), lane()];
    await change(l, { key: "k", value: "0" });
    const before = (await queue().state(l).get("k"))?.version ?? 0;
    await queue().push([chunk(l, "late", "text", { count: 2 })]);
    let meanwhile = false;
    const { items, handle } = recorder(async (item) => {
      if (item.id === "other") return { state: [{ key: "k", value: "other" }] };
      const found = await queue().state(l).get("k");
      if (!item.conflict) {
        await queue().push([chunk(l, "other")]);
        await until("changed by another", async () => (await value(l, "k")) === "other");
        meanwhile = true;
      }
      const { version = 0 } = found ?? {};
      return {
        next: [{ ...item, lane: x, id: `read ${found?.value}` }],
        dead: [{ body: `read ${found?.value}`, count: 1, why: "test" }],
        retry: item.conflict ? undefined : { body: "left", count: 1, inMs: 1 },
        state: [
          { key: "k", value: "late", version },
          { key: "more", value: "set" },
        ],
      } as Awaited<ReturnType<Handle>>;
    });
    const consumer = queue().consume(l, handle, 2);
    await until("all settled", async () => meanwhile && (await empty(l)));
    await consumer.close(1000);
    assert.deepEqual(
      items.filter((i) => i.id === "late").map((i) => [i.conflict, i.body, i.count, i.attempt]),
      [
        [undefined, "text", 2, 0],
        [true, "text", 2, 0],
      ],
    );
    assert.deepEqual(
      (await queue().dead(l, 10)).map((letter) => letter.body),
      ["read other"],
    );
    assert.equal((await queue().depth(x)).waiting, 2);
    assert.deepEqual([await value(l, "k"), await value(l, "more")], ["late", "set"]);
    assert.ok(((await queue().state(l).get("k"))?.version ?? 0) > before);
  });

  test("a key that must not be there, and one that was deleted since, refuse too", async () => {
    const l = lane();
    await change(l, { key: "there", value: "x" });
    const { version = 0 } = (await queue().state(l).get("there")) ?? {};
    await queue().push([chunk(l, "create"), chunk(l, "delete"), chunk(l, "late")]);
    const { items, handle } = recorder((item) => {
      if (item.id === "delete") return { state: [{ key: "there", version }] };
      if (item.id === "create") return { state: [{ key: "new", value: "mine", version: 0 }] };
      if (item.conflict) return {};
      return { state: [{ key: "new", value: "late", version: 0 }] };
    });
    const consumer = queue().consume(l, handle, 1);
    await until("settled", () => empty(l));
    await queue().push([chunk(l, "again")]);
    await until("settled", () => empty(l));
    await consumer.close(1000);
    assert.deepEqual(
      items.filter((i) => i.conflict).map((i) => i.id),
      ["late", "again"],
    );
    assert.deepEqual([await value(l, "there"), await value(l, "new")], [undefined, "mine"]);
  });

  test("no count is lost where many read and change one key at a time", async () => {
    const [l, x] = [lane(), lane()];
    await queue().push(Array.from({ length: 60 }, (_, i) => chunk(l, `i${i}`, "x", { count: 2 })));
    const consumer = queue().consume(l, countingHandle(queue(), l, x), 8);
    await until("all counted", () => empty(l));
    await consumer.close(1000);
    assert.equal(await value(l, "events"), "120");
    assert.equal((await queue().depth(x)).waiting, 120);
  });

  test("a key is gone when its time is over, a restart between or not, and set again it has a new one", async () => {
    const l = lane();
    const start = performance.now();
    await change(
      l,
      { key: "short", value: "x", expiresInMs: 300 },
      { key: "restart", value: "x", expiresInMs: 600 },
      { key: "kept", value: "x", expiresInMs: 300 },
      { key: "long", value: "x", expiresInMs: 3_600_000 },
    );
    const { version = 0 } = (await queue().state(l).get("short")) ?? {};
    await change(l, { key: "kept", value: "y" });
    await until("expired", async () => (await value(l, "short")) === undefined);
    assert.ok(performance.now() - start >= 299, "before its time");
    await reopen();
    await until("expired over a restart", async () => (await value(l, "restart")) === undefined);
    assert.deepEqual([await value(l, "kept"), await value(l, "long")], ["y", "x"]);
    // What has expired has no version any more.
    await queue().push([chunk(l, "late")]);
    const { items, handle } = recorder((item) =>
      item.conflict ? { state: [{ key: "short", value: "new", version: 0 }] } : { state: [{ key: "short", version }] },
    );
    const consumer = queue().consume(l, handle, 1);
    await until("settled", () => empty(l));
    await consumer.close(1000);
    assert.equal(items.length, 2);
    assert.equal(await value(l, "short"), "new");
  });

  test("a value or a key that is too large makes a dead letter of the item, and nothing is changed", async () => {
    const [l, x] = [lane(), lane()];
    const most = "v".repeat(mostValueBytes);
    await change(l, { key: "k".repeat(mostKeyBytes), value: most });
    assert.equal(await value(l, "k".repeat(mostKeyBytes)), most);
    await queue().push([chunk(l, "value", "first", { count: 3 }), chunk(l, "key", "second")]);
    const { handle } = recorder((item) => ({
      next: [{ ...item, lane: x }],
      state: [
        { key: "fine", value: "x" },
        item.id === "value" ? { key: "k", value: `${most}v` } : { key: "k".repeat(mostKeyBytes + 1), value: "" },
      ],
    }));
    const consumer = queue().consume(l, handle, 1);
    await until("both are dead", async () => (await queue().depth(l)).dead === 4);
    await consumer.close(1000);
    assert.deepEqual(
      (await queue().dead(l, 10)).map(({ body, why }) => [body, why]),
      [
        ["first", `state: a value has more than ${mostValueBytes} bytes`],
        ["second", `state: a key has no or more than ${mostKeyBytes} bytes`],
      ],
    );
    assert.deepEqual([await value(l, "fine"), (await queue().depth(x)).waiting], [undefined, 0]);
  });

  test("what is left of an item, and when, changes with the state", async () => {
    const l = lane();
    await queue().push([chunk(l, "r", "all", { count: 5 })]);
    const { items, handle } = recorder((item) => ({
      ...(item.attempt < 2 && { retry: { body: `left ${item.attempt}`, count: 4 - item.attempt, inMs: 1 } }),
      state: [{ key: "attempts", value: String(item.attempt + 1) }],
    }));
    const consumer = queue().consume(l, handle, 1);
    await until("done", () => empty(l));
    await consumer.close(1000);
    assert.deepEqual(
      items.map((i) => [i.body, i.count, i.attempt]),
      [
        ["all", 5, 0],
        ["left 0", 4, 1],
        ["left 1", 3, 2],
      ],
    );
    assert.equal(await value(l, "attempts"), "3");
  });
}
