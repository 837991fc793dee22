import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createMemory, createTenant, type Grant, type Memory, type Tenant } from "../../../src/queue/memory.ts";

const bytes = 32768;

const hungry = (memory: Memory, item: number) => {
  const grants: Grant[] = [];
  const tenant: Tenant = createTenant(() => {
    for (let grant = memory.take(tenant, item); grant; grant = memory.take(tenant, item)) grants.push(grant);
  });
  return { tenant, grants, held: () => grants.length * item };
};

describe("the budget of memory", () => {
  it("is never exceeded by tenants that give nothing back, and one that comes later has its turn", async () => {
    const memory = createMemory(bytes);
    const tenants = Array.from({ length: 40 }, () => hungry(memory, 1));
    for (const { tenant } of tenants) tenant.wake();
    assert.ok(memory.used() <= bytes, `${memory.used()}`);
    const late = hungry(memory, 1);
    late.tenant.wake();
    await turn();
    assert.ok(late.grants.length > 0);
  });

  it("keeps what is too large for the shared part to its bounds, and lets each tenant have its turn", async () => {
    const memory = createMemory(bytes);
    const order: number[] = [];
    const held: Grant[] = [];
    let most = 0;
    const tenants = Array.from({ length: 10 }, (_, i) => {
      const tenant: Tenant = createTenant(() => {
        const grant = memory.take(tenant, 10 * bytes);
        if (!grant) return;
        order.push(i);
        held.push(grant);
        most = Math.max(most, memory.used());
      });
      return tenant;
    });
    for (const tenant of tenants) tenant.wake();
    for (let i = 0; i < 20; i++) {
      const grant = held.shift() as Grant;
      memory.give(grant);
      // The one that had it asks first, and waits behind the others all the same.
      grant.tenant.wake();
      await turn();
      await turn();
    }
    assert.equal(most, 10 * bytes);
    assert.equal(new Set(order.slice(0, 10)).size, 10);
  });

  it("does not let large items of tenants that failed, or had none yet, hold up those of others", async () => {
    const memory = createMemory(bytes);
    const slow = hungry(memory, 10 * bytes);
    slow.tenant.wake();
    const next = hungry(memory, 10 * bytes);
    next.tenant.wake();
    const sound = hungry(memory, 10 * bytes);
    sound.tenant.last = "taken";
    sound.tenant.wake();
    await turn();
    assert.deepEqual(
      [slow, next, sound].map(({ grants }) => grants.length),
      [1, 0, 1],
    );
  });
});
