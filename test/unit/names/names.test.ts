import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { lookupBy } from "../../../src/names/install.ts";
import { type Find, openFind } from "../../../src/names/lookup.ts";
import { openQuestions } from "../../../src/names/questions.ts";
import { candidates, parseHosts, parseResolvConf } from "../../../src/names/resolv-conf.ts";
import { openDns, type Zone } from "../../fakes/dns.ts";

const setup = async (
  t: TestContext,
  zone: Zone,
  over: { conf?: string; hosts?: string; six?: boolean; system?: Find } = {},
) => {
  const dns = await openDns(zone);
  t.after(() => dns.close());
  const clock = { now: 0 };
  const ask = openQuestions({
    servers: [dns.server],
    timeoutMs: 100,
    attempts: 1,
    prefers6: () => over.six ?? false,
  });
  const find = openFind({
    conf: () => parseResolvConf(over.conf ?? "", "vm"),
    hosts: () => parseHosts(over.hosts ?? ""),
    ask,
    ...(over.system && { system: over.system }),
    ticks: () => clock.now,
  });
  const addresses = async (name: string) => (await find(name)).map(({ address }) => address);
  return { dns, clock, find, addresses };
};

describe("names", () => {
  test("an answer is kept for its TTL and asked for again after it; wanted many times, it is asked for once", async (t) => {
    const zone: Zone = { "a.test": { addresses: ["127.0.0.1"], ttl: 30 } };
    const { dns, clock, addresses } = await setup(t, zone);
    await Promise.all(Array.from({ length: 50 }, () => addresses("A.test")));
    zone["a.test"] = { addresses: ["127.0.0.2"], ttl: 30 };
    clock.now = 29_000;
    assert.deepEqual(await addresses("a.test"), ["127.0.0.1"]);
    assert.deepEqual(dns.questions.toSorted(), ["A a.test", "AAAA a.test"]);
    clock.now = 31_000;
    assert.deepEqual(await addresses("a.test"), ["127.0.0.2"]);
  });

  test("a name whose servers never answer fails, keeps nobody waiting, and is found once they do", async (t) => {
    const zone: Zone = { "dead.test": "silent", "a.test": { addresses: ["127.0.0.1"], ttl: 0 } };
    const { addresses } = await setup(t, zone, { system: async () => assert.fail("the system was asked") });
    let over = false;
    const dead = assert.rejects(addresses("dead.test"), { code: "EAI_AGAIN" }).then(() => (over = true));
    assert.deepEqual(await addresses("a.test"), ["127.0.0.1"]);
    assert.equal(over, false);
    await dead;
    zone["dead.test"] = { addresses: ["127.0.0.3"], ttl: 1 };
    assert.deepEqual(await addresses("dead.test"), ["127.0.0.3"]);
  });

  test("Kubernetes' search domains and ndots are honoured, a final dot ends the search", async (t) => {
    const conf = "search web.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n";
    const { dns, addresses } = await setup(
      t,
      {
        "loki.web.svc.cluster.local": { addresses: ["10.0.0.1"], ttl: 5 },
        "loki.other.svc.cluster.local": { addresses: ["10.0.0.2"], ttl: 5 },
        "example.com": { addresses: ["192.0.2.1"], ttl: 5 },
      },
      { conf },
    );
    assert.deepEqual(await addresses("loki"), ["10.0.0.1"]);
    assert.deepEqual(await addresses("loki.other"), ["10.0.0.2"]);
    assert.deepEqual(await addresses("example.com"), ["192.0.2.1"]);
    dns.questions.length = 0;
    await assert.rejects(addresses("loki."), { code: "ENOTFOUND" });
    assert.ok(dns.questions.every((question) => question.endsWith(" loki")));
  });

  test("the hosts file and localhost come first; a server that fails is not taken for a name that is not there", async (t) => {
    const { dns, addresses } = await setup(
      t,
      { "bad.test": "servfail" },
      { hosts: "10.1.1.1 db.test db # both\nfe80::1%eth0 db.test\n" },
    );
    assert.deepEqual(await addresses("DB"), ["10.1.1.1"]);
    assert.deepEqual(await addresses("x.localhost"), ["127.0.0.1", "::1"]);
    assert.deepEqual(dns.questions, []);
    await assert.rejects(addresses("bad.test"), { code: "EAI_AGAIN" });
    await assert.rejects(addresses("no.test"), { code: "ENOTFOUND" });
  });

  test("what DNS does not know the system is asked for, one name at a time", async (t) => {
    let [now, most] = [0, 0];
    const system: Find = async (host) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now--;
      if (host === "printer.local") return [{ address: "10.9.9.9", family: 4 }];
      throw Object.assign(new Error("no"), { code: "ENOTFOUND" });
    };
    const { addresses } = await setup(t, {}, { system });
    const others = ["x.local", "y.local"].map((name) => assert.rejects(addresses(name), { code: "ENOTFOUND" }));
    assert.deepEqual(await addresses("printer.local"), ["10.9.9.9"]);
    await Promise.all(others);
    assert.equal(most, 1);
  });

  test("both families are found, IPv6 first only where the machine has it, and `family`, `all` and `order` hold", async (t) => {
    const zone: Zone = { "two.test": { addresses: ["127.0.0.1", "::1"], ttl: 5 } };
    const { find, addresses } = await setup(t, zone);
    assert.deepEqual(await addresses("two.test"), ["127.0.0.1", "::1"]);
    assert.deepEqual(await (await setup(t, zone, { six: true })).addresses("two.test"), ["::1", "127.0.0.1"]);
    const lookup = lookupBy(find);
    const look = (options: object | number) =>
      new Promise((resolve, reject) =>
        lookup("two.test", options, (error, found, family) => (error ? reject(error) : resolve([found, family]))),
      );
    assert.deepEqual(await look(6), ["::1", 6]);
    assert.deepEqual(await look({ family: "IPv4" }), ["127.0.0.1", 4]);
    assert.deepEqual(await look({ order: "ipv6first" }), ["::1", 6]);
    assert.deepEqual(await look({ all: true, family: 4 }), [[{ address: "127.0.0.1", family: 4 }], undefined]);
  });

  test("a name that a server denies for IPv6 has its IPv4 address, whichever answer is first", async (t) => {
    const zone: Zone = { "lb.test": { addresses: ["127.0.0.1"], ttl: 5, denies: true } };
    for (const six of [false, true])
      assert.deepEqual(await (await setup(t, zone, { six })).addresses("lb.test"), ["127.0.0.1"]);
  });

  test("resolv.conf is read as glibc reads it", () => {
    const text =
      "# x\nnameserver 10.0.0.10\nnameserver fe80::1%eth0\nnameserver nonsense\ndomain a.test\noptions ndots:2 timeout:1 attempts:3 rotate\n";
    assert.deepEqual(parseResolvConf(text, "vm.home"), {
      servers: ["10.0.0.10", "fe80::1%eth0"],
      search: ["a.test"],
      ndots: 2,
      timeoutMs: 1000,
      attempts: 3,
    });
    assert.deepEqual(parseResolvConf("", "vm.home.test").search, ["home.test"]);
    assert.deepEqual(candidates("a.b", { search: ["x"], ndots: 1 }), ["a.b", "a.b.x"]);
  });
});
