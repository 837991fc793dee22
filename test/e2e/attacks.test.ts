import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { makeAuthority } from "../fakes/certificates.ts";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { startHealthySender } from "../support/healthy-senders.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { freePort } from "../support/real-server.ts";
import { until } from "../support/until.ts";
import { auditEvent } from "../unit/audit/support.ts";

const mebi = 2 ** 20;
/** Ticks of a hundredth of a second, as Linux counts them for every process. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

test("one hub under one attack after the other: what sound senders send is answered, delivered and not delayed behind any of them", async (t) => {
  const { dir, remove } = scratch();
  const authority = makeAuthority();
  const server = authority.server();
  const sink = await openHttpSink();
  const auditPort = await freePort();
  writeFileSync(join(dir, "audit.pem"), server.cert + server.key);
  writeFileSync(
    join(dir, "rules.yaml"),
    "- rule: All\n  desc: d\n  condition: ka.verb = get\n  output: audit-%ka.auditid-\n  priority: NOTICE\n  source: k8s_audit\n",
  );
  const hub = await startHub({
    datadir: dir,
    config: `webhook:
  address: ${sink.url}/
influxdb: { hostport: "${sink.url}", match: { rules: ["hostile*"] } }
alertmanager: { hostport: "${sink.url}", match: { rules: ["h*o*s*t*i*l*e*-*-"] } }
rules_files: ["${join(dir, "rules.yaml")}"]
k8saudit:
  listen: https://127.0.0.1:${auditPort}/k8s-audit
  sslcertificate: ${join(dir, "audit.pem")}
  bearertoken: sound-token-of-the-api-server
`,
  });
  const port = Number(new URL(hub.url).port);
  const authorization = "Bearer sound-token-of-the-api-server";
  const open: Socket[] = [];

  const postAudit = (body: string | Buffer, headers: Record<string, string> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      const req = httpsRequest(
        {
          port: auditPort,
          host: "127.0.0.1",
          path: "/k8s-audit",
          method: "POST",
          ca: authority.ca,
          agent: false,
          headers: {
            "content-type": "application/json",
            authorization,
            "content-length": Buffer.byteLength(body),
            ...headers,
          },
        },
        (reply) => reply.resume().on("end", () => resolve(reply.statusCode ?? 0)),
      );
      req.on("error", reject).end(body);
    });
  const postAlert = async (body: string | Buffer, headers: Record<string, string> = {}): Promise<number> => {
    const reply = await fetch(`${hub.url}/`, { method: "POST", body, headers });
    await reply.arrayBuffer();
    return reply.status;
  };
  /** A connection that says this and then nothing more. */
  const hold = async (to: number, text: string): Promise<void> => {
    const socket = connect(to, "127.0.0.1");
    socket.on("error", () => {});
    open.push(socket);
    await once(socket, "connect");
    socket.pause();
    socket.write(text);
  };
  const many = (n: number, one: (i: number) => Promise<unknown>) =>
    Promise.all(Array.from({ length: n }, (_, i) => one(i)));
  const slowBody = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n{";
  const slowHttp2 = (i: number, headers: Record<string, string>) => {
    const session = connectHttp2(`https://127.0.0.1:${auditPort}`, { ca: authority.ca });
    session.on("error", () => {});
    const asked = { ":method": "POST", ":path": "/k8s-audit", "content-type": "application/json", ...headers };
    for (let n = 0; n < 20; n++) {
      const stream = session.request(asked, { endStream: false });
      stream.on("error", () => {});
      stream.write(`[${i}`);
    }
    open.push(session as unknown as Socket);
    return once(session, "connect");
  };
  const labels = (i: number) =>
    JSON.stringify(
      Array.from({ length: 1000 }, (_, n) => ({
        ...falcoAlert(1),
        rule: `${i}-${n}-${"r".repeat(245)}`,
        hostname: `${n}`.padEnd(250, "h"),
      })),
    );

  const alike = (i: number): string =>
    [...i.toString(2).padStart(12, "0")].map((bit) => (bit === "0" ? " " : "_")).join("a");
  const hostile = JSON.stringify({
    ...falcoAlert(2),
    rule: `hostile${"e".repeat(400)}`,
    output_fields: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`${alike(i)}${"_".repeat(10)}`, "v"])),
  });

  const attacks: Readonly<Record<string, () => Promise<unknown>>> = {
    "small values, 800 KB in 813 bytes": () =>
      postAlert(gzipSync("1 ".repeat(400_000), { level: 9 }), { "content-encoding": "gzip" }),
    "fields whose names come out equal, and a rule that nearly fits": () => postAlert(hostile),
    "a megabyte of broken lines": () => postAlert('{"a\n'.repeat(mebi / 4)),
    "a megabyte of opened objects": () => postAlert("{\n".repeat(mebi / 2)),
    "a megabyte of lists in lists, for the audit port": () =>
      postAudit(`[${`${"[".repeat(250)}${"]".repeat(250)},`.repeat(2000)}1]`),
    "a megabyte of wide and deep lists, for the audit port": () =>
      postAudit(`${"[".repeat(250)}${"{},".repeat(300_000)}1${"]".repeat(250)}`),
    "unknown methods with long paths": () => many(50, () => hold(port, `GRAB /${"a".repeat(16_000)}`)),
    "long paths that go up": () =>
      many(50, () => hold(port, `POST /${"a".repeat(30_000)}${"/b/..".repeat(5000)} HTTP/1.1\r\nHost: x\r\n\r\n`)),
    "pieces of one byte": () =>
      hold(port, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\n1\r\n".repeat(100_000)}`),
    "seventy megabytes without a token": () =>
      postAudit(Buffer.alloc(70 * mebi, 0x20), { authorization: "" }).catch(() => {}),
    "slow bodies without a token, over HTTP/2": () => many(8, (i) => slowHttp2(i, {})),
    "slow bodies with the token, over HTTP/2": () => many(8, (i) => slowHttp2(i, { authorization })),
    "slow bodies at the port of alerts": () => many(300, () => hold(port, slowBody)),
    "slow headers and silence": () => many(600, (i) => hold(port, i % 2 ? "" : "POST / HTTP/1.1\r\nX: ")),
    "resets in a flood": async () => {
      const session = connectHttp2(`https://127.0.0.1:${auditPort}`, { ca: authority.ca });
      session.on("error", () => {});
      open.push(session as unknown as Socket);
      await once(session, "connect");
      for (let n = 0; n < 3000; n++) {
        const stream = session.request({ ":method": "POST", ":path": "/k8s-audit" }, { endStream: false });
        stream.on("error", () => {});
        stream.close(8);
        if (n % 50 === 0) await wait(1);
      }
    },
    "ten thousand series, and forty readers that do not read": async () => {
      for (let i = 0; i < 10; i++) assert.equal(await postAlert(labels(i)), 200);
      await many(40, () => hold(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    },
  };

  const healthyAlerts = startHealthySender((n) => postAlert(JSON.stringify(falcoAlert(n + 100_000))), 20);
  const healthyEvents = startHealthySender((n) => postAudit(auditEvent({ verb: "get" }, `h${n}-`)), 100);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, hub.rss());
  }, 20);
  try {
    const pid = hub.child.pid ?? 0;
    const during = async (work: () => Promise<unknown>): Promise<number> => {
      const [from, alerts, events] = [cpuOf(pid), healthyAlerts.sent, healthyEvents.sent];
      await work();
      await until("sound senders got on", () => healthyAlerts.sent >= alerts + 10 && healthyEvents.sent >= events + 2);
      return cpuOf(pid) - from;
    };
    const sound = Array.from({ length: 5000 }, (_, n) => JSON.stringify(falcoAlert(n))).join("\n");
    const usual = await during(async () => {
      assert.equal(await postAlert(sound), 200);
      await until("a body that is meant is delivered", () =>
        sink.requests.some((r) => alertNumbers(r.body).includes(4999)),
      );
    });
    for (const [name, attack] of Object.entries(attacks)) {
      const cost = await during(attack);
      t.diagnostic(`${name}: ${cost} ms of CPU, ${usual} for a body of 5,000 alerts`);
      assert.ok(cost <= usual || name.startsWith("ten thousand"), `${name}: ${cost} ms of CPU`);
      assert.deepEqual([healthyAlerts.trouble, healthyEvents.trouble], [[], []], name);
    }
    // The page is shared for a while: the one that is looked at was made after the last attack.
    let scraped = "";
    await until("the page tells of the audit port", async () => {
      scraped = await (await fetch(`${hub.url}/metrics`)).text();
      return scraped.includes(`eyrie_refusals_total{listener="k8saudit",reason="unauthorized"}`);
    });
    assert.ok(scraped.length < 6 * mebi);
    const refused = (listener: string, reason: string) =>
      Number(
        new RegExp(`eyrie_refusals_total\\{listener="${listener}",reason="${reason}"\\} (\\d+)`).exec(scraped)?.[1] ??
          0,
      );
    for (const [listener, reason] of [
      ["k8saudit", "unauthorized"],
      ["k8saudit", "http2"],
      ["alerts", "invalid"],
      ["alerts", "fragmented"],
      ["alerts", "uri_too_long"],
    ] as const) {
      assert.ok(refused(listener, reason) > 0, `${listener} ${reason}`);
      assert.match(hub.output(), new RegExp(`"listener":"${listener}","reason":"${reason}"`));
    }
    await healthyAlerts.stop();
    await healthyEvents.stop();
    assert.equal((await fetch(`${hub.url}/readyz`)).status, 200);
    const numbers = () => new Set(sink.requests.flatMap((r) => alertNumbers(r.body)));
    await until("every sound alert is delivered", () => {
      const seen = numbers();
      return Array.from({ length: healthyAlerts.sent }, (_, n) => n + 100_000).every((n) => seen.has(n));
    });
    await until("an alert of every sound event is delivered", () => {
      const seen = new Set(
        sink.requests.flatMap((r) => [...r.body.matchAll(/audit-h(\d+)--/g)].map((m) => Number(m[1]))),
      );
      return Array.from({ length: healthyEvents.sent }, (_, n) => n).every((n) => seen.has(n));
    });
    t.diagnostic(`${(peak / mebi).toFixed(0)} MiB at most`);
    assert.ok(peak < 600 * mebi, `${(peak / mebi).toFixed(0)} MiB resident`);
    for (const socket of open) socket.destroy();
    assert.equal(await hub.stop(), 0);
  } finally {
    clearInterval(watch);
    await Promise.all([healthyAlerts.stop(), healthyEvents.stop()]);
    for (const socket of open) socket.destroy();
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});
