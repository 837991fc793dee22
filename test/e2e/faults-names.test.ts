import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openDns, type Zone } from "../fakes/dns.ts";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { until } from "../support/until.ts";

/** A name server's address cannot hold a port: port 53 of a loopback address nobody else uses, in a file that only the hub sees. */
const nameServer = "127.53.53.53";

const missing = (): string | false => {
  try {
    execFileSync("unshare", ["-m", "mount", "--help"], { stdio: "ignore" });
    return process.getuid?.() === 0 ? false : "needs root for port 53";
  } catch {
    return "this machine allows no mount namespace";
  }
};

test("six destinations whose DNS never answers hold up nobody, and get their alerts once it does", {
  skip: missing(),
}, async (t) => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const lost = Array.from({ length: 6 }, (_, i) => `lost${i}.test`);
  const here = { addresses: ["127.0.0.1"], ttl: 1 };
  const clients = ["nats.test", "smtp.test", "syslog.test"];
  const zone: Zone = {
    "here.test": here,
    ...Object.fromEntries(clients.map((name) => [name, "silent"])),
    ...Object.fromEntries(lost.map((name) => [name, "silent"])),
  };
  const dns = await openDns(zone, { address: nameServer, port: 53 }).catch(() => undefined);
  if (!dns) return t.skip("port 53 is taken");
  const file = join(dir, "resolv.conf");
  writeFileSync(file, `nameserver ${nameServer}\n`);
  const port = new URL(sink.url).port;
  const config = `webhook:\n${["here.test", ...lost]
    .map(
      (name) =>
        `  - { name: ${name.replace(".test", "")}, address: "http://${name}:${port}/${name}", retry: { initial: 50ms, max: 500ms } }\n`,
    )
    .join("")}
nats: { hostport: "nats://nats.test:4222" }
smtp: { hostport: "smtp.test:25", from: a@b.test, to: c@d.test }
syslog: { host: syslog.test, port: "514", protocol: udp }
`;
  const through = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
  const hub = await startHub({ datadir: dir, config, through });
  const got = (name: string) =>
    new Set(sink.requests.filter((r) => r.url === `/${name}`).flatMap((r) => alertNumbers(r.body)));
  try {
    // Every name that never answers is being asked for.
    const { accepted } = await postAll(hub.url, 300, falcoAlert);
    assert.equal(accepted.length, 300);
    await until("all are asked for", () => [...lost, ...clients].every((name) => dns.questions.includes(`A ${name}`)));
    const { accepted: later } = await postAll(hub.url, 300, (n) => falcoAlert(300 + n));
    await until("the healthy one has everything", () => got("here.test").size === 600);
    assert.equal(later.length, 300);
    assert.equal(sink.count(), 600);
    // While a name is wanted all the time, it is asked for once at a time and not for every alert.
    const asked = dns.questions.filter((question) => question === "A lost0.test").length;
    assert.ok(asked < 20, `${asked} questions for one name`);
    for (const name of lost) zone[name] = here;
    await until("the others have everything", () => lost.every((name) => got(name).size === 600));
  } finally {
    await hub.stop("SIGKILL");
    await Promise.all([sink.close(), dns.close()]);
    remove();
  }
});
