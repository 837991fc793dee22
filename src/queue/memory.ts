/**
 * One budget of memory for the items that all lanes have in hand. A lane whose last item was taken by its destination may
 * hold as much as it leaves free for others, any other lane an eighth of that. An item too large for that is handed out when
 * its lane holds nothing else, first come, first served; there lanes whose last item failed, and those that have had none,
 * wait for their like and not in front of the rest.
 */

/** A lane as the budget knows it. */
export interface Tenant {
  /** Asks again for what was refused. */
  readonly wake: () => void;
  /** What became of its last item. */
  last: "none" | "taken" | "failed";
  /** Bytes held of the part that is shared, and items held in all. */
  shared: number;
  items: number;
  /** Bytes refused last; 0: none. */
  wanted: number;
}

export const createTenant = (wake: () => void): Tenant => ({ wake, last: "none", shared: 0, items: 0, wanted: 0 });

/** Given back once, when the item is settled or has gone back to its lane. */
export interface Grant {
  readonly tenant: Tenant;
  readonly bytes: number;
  readonly account: Account;
}

interface Account {
  used: number;
  readonly limit: number;
}

export interface Memory {
  /** Undefined: not now; the tenant is woken when it may have it. */
  take(tenant: Tenant, bytes: number): Grant | undefined;
  give(grant: Grant | undefined): void;
  /** A tenant that asks for nothing any more. */
  leave(tenant: Tenant): void;
  /** Bytes held now. */
  used(): number;
  /** Bytes for bodies that wait in memory for their turn. */
  readonly cacheBytes: number;
}

export const defaultMemory = 64 * 1024 * 1024;

/** Alerts of an item that are in requests at a time. */
const flying = 16;

/** What an item takes while it is handled: its text, decoded again, the objects of its events; and requests, twice as bytes. */
export const weightOf = (textBytes: number, events: number): number =>
  2 * textBytes + 256 * events + 2 * Math.min(textBytes, (flying * textBytes) / Math.max(1, events));

export function createMemory(bytes: number = defaultMemory): Memory {
  const shared: Account = { used: 0, limit: bytes / 2 };
  const large: Readonly<Record<Tenant["last"], Account>> = {
    taken: { used: 0, limit: bytes / 8 },
    none: { used: 0, limit: bytes / 16 },
    failed: { used: 0, limit: bytes / 16 },
  };
  const waiting = new Set<Tenant>();
  let planned = false;

  const accountFor = (tenant: Tenant, wanted: number): Account | undefined => {
    const left = shared.limit - shared.used - wanted;
    if (tenant.shared + wanted <= (tenant.last === "taken" ? left : left / 8)) return shared;
    if (tenant.items > 0) return undefined;
    return large[tenant.last];
  };
  const hasRoom = (account: Account, wanted: number) => account.used === 0 || account.used + wanted <= account.limit;

  /** The tenant that is woken: for a large item others wait behind it. */
  let turn: Tenant | undefined;
  const wake = () => {
    planned = false;
    const tried = new Set<Account>();
    for (const tenant of [...waiting]) {
      const account = accountFor(tenant, tenant.wanted);
      if (!account || tried.has(account)) continue;
      if (account !== shared && !hasRoom(account, tenant.wanted)) {
        tried.add(account);
        continue;
      }
      waiting.delete(tenant);
      turn = tenant;
      tenant.wake();
    }
    turn = undefined;
  };
  const plan = () => {
    if (planned || waiting.size === 0) return;
    planned = true;
    setImmediate(wake);
  };

  return {
    cacheBytes: bytes / 4,
    take: (tenant, wanted) => {
      const account = accountFor(tenant, wanted);
      if (account && (account === shared || ((turn === tenant || waiting.size === 0) && hasRoom(account, wanted)))) {
        waiting.delete(tenant);
        account.used += wanted;
        if (account === shared) tenant.shared += wanted;
        tenant.items++;
        return { tenant, bytes: wanted, account };
      }
      tenant.wanted = wanted;
      const isNew = !waiting.has(tenant);
      waiting.add(tenant);
      if (isNew && turn !== tenant) plan();
      return undefined;
    },
    give: (grant) => {
      if (!grant) return;
      const { tenant, bytes: held, account } = grant;
      account.used -= held;
      if (account === shared) tenant.shared -= held;
      tenant.items--;
      plan();
    },
    leave: (tenant) => void waiting.delete(tenant),
    used: () => shared.used + large.taken.used + large.none.used + large.failed.used,
  };
}
