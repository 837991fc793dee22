import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { outputs } from "../../outputs/index.ts";
import { sources } from "../../sources/index.ts";
import k8saudit from "../../sources/k8saudit/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { alertTest } from "../../src/fields/condition.ts";
import { deadLetters } from "../../src/http/dead-letters.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { decodeAlerts } from "../../src/pipeline/alert-in.ts";
import { encodeAlert } from "../../src/pipeline/codec.ts";
import { countIn } from "../../src/pipeline/counts.ts";
import { encodeEvent } from "../../src/pipeline/event-lines.ts";
import { fieldsOfKinds, kindsOf } from "../../src/pipeline/judge/kinds.ts";
import { openRules } from "../../src/pipeline/judge/rules.ts";
import { openSqliteQueue } from "../../src/queue/sqlite/driver.ts";
import type { Field } from "../../src/sdk/catalog.ts";
import {
  growingAlertBodies,
  growingAuditBodies,
  growingEvents,
  soundAlerts,
  soundEvents,
} from "../support/growing-bodies.ts";
import { staysLinear } from "../support/growth.ts";
import { scratch } from "../support/hub-process.ts";
import { folderOf, rule } from "../support/rules-command.ts";
import { alertLimits, post, sendRaw, start } from "../unit/http/support.ts";
import { makeHub, parsed } from "../unit/sources/k8saudit/hub.ts";

/** Characters of the smallest body. */
const n = 40_000;
const settings = {
  customfields: [["custom", "x"]] as const,
  customtags: ["custom"],
  templatedfields: [],
  bracketreplacer: "_",
  outputfieldformat: "<timestamp>: <priority> <output> <custom_fields> <tags>",
  uuid: randomUUID,
  limits: alertLimits,
};

/** The port of alerts, with all that is done before an alert is safe but the write. */
const startAlerts = (t: TestContext) =>
  start(
    t,
    {},
    {
      take: async (text) => {
        const { alerts, ...refusals } = decodeAlerts(text, settings);
        for (const alert of alerts) encodeAlert(alert);
        return { accepted: alerts.length, ...refusals };
      },
    },
  );

const startAudit = async (t: TestContext, listen = "http://127.0.0.1:0/k8s-audit") => {
  const { server } = await start(t);
  const hub = makeHub();
  const host = {
    ...hub.host,
    push: async (events: Parameters<typeof hub.host.push>[0]) => void events.map(encodeEvent),
    listen: server.listenForSource("k8saudit"),
  };
  const source = await k8saudit.open(parsed({ listen, redeliverywindow: "0s" }), host);
  t.after(() => source.close());
  return source.port ?? 0;
};

const startOperators = async (t: TestContext) => {
  const { dir, remove } = scratch();
  const queue = openSqliteQueue({ dir, durability: "normal", now: Date.now });
  const log = pino({ level: "silent" });
  const family = deadLetters({ queue, lanes: ["alerts"], state: () => undefined, token: () => "", log, now: Date.now });
  const { port } = await start(t, {}, { families: [family] });
  t.after(async () => {
    await queue.close();
    remove();
  });
  return port;
};

describe("the work that a body makes grows with its length", () => {
  it("at the port of alerts", async (t) => {
    const { port } = await startAlerts(t);
    for (const [shape, make] of Object.entries(growingAlertBodies))
      await t.test(shape, () =>
        staysLinear(
          (body) => post(port, body),
          make,
          n,
          () => soundAlerts(4 * n),
        ),
      );
  });

  it("at the port of audit events", async (t) => {
    const port = await startAudit(t);
    const json = ["Content-Type: application/json"];
    for (const [shape, make] of Object.entries(growingAuditBodies))
      await t.test(shape, () =>
        staysLinear(
          (body) => post(port, body, json, "/k8s-audit"),
          make,
          n,
          () => soundEvents(4 * n),
        ),
      );
  });

  it("at the operators' API", async (t) => {
    const port = await startOperators(t);
    const send = (body: string) =>
      sendRaw(
        port,
        `POST /api/v1/dead-letters/redrive HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
        body,
      );
    const choices = {
      "many ids": (size: number) => `{"output":"x","ids":[${'"a",'.repeat(size / 4)}"b"]}`,
      "other ids": (size: number) =>
        `{"lane":"alerts","ids":[${Array.from({ length: size / 10 }, (_, i) => `"${i}"`)}]}`,
    };
    for (const [shape, make] of Object.entries({ ...growingAlertBodies, ...choices }))
      await t.test(shape, () => staysLinear(send, make, n));
  });
});

/** Request heads of about `size` characters. */
const heads: Readonly<Record<string, (size: number) => string>> = {
  "an unknown method and a path of one letter": (size) => `GRAB /${"a".repeat(size)} HTTP/1.1\r\n`,
  "an unknown method and a path of question marks": (size) => `GRAB /${"?".repeat(size)} HTTP/1.1\r\n`,
  "an unknown method without an end": (size) => `GRAB /${"a".repeat(size)}`,
  "a path of slashes": (size) => `POST ${"/".repeat(size)} HTTP/1.1\r\n`,
  "a path of dots": (size) => `POST ${"/..".repeat(size / 3)} HTTP/1.1\r\n`,
  "a long path that goes up": (size) => `POST /${"a".repeat(size / 2)}${"/b/..".repeat(size / 10)} HTTP/1.1\r\n`,
  "a path of escapes": (size) => `POST ${"/%2e%2e".repeat(size / 7)} HTTP/1.1\r\n`,
  "a path of broken escapes": (size) => `POST ${"/%%%2".repeat(size / 5)} HTTP/1.1\r\n`,
  "a query without end": (size) => `GET /api/v1/dead-letters?${"a=b&".repeat(size / 4)} HTTP/1.1\r\n`,
  "a query of percent signs": (size) => `GET /api/v1/dead-letters?after=${"%".repeat(size)} HTTP/1.1\r\n`,
  "many headers": (size) => `GET /metrics HTTP/1.1\r\n${"a: b\r\n".repeat(size / 6)}`,
  "a token of blanks": (size) => `POST / HTTP/1.1\r\nAuthorization: Bearer${" ".repeat(size)}x y\r\n`,
  "many encodings": (size) => `GET /metrics HTTP/1.1\r\nAccept-Encoding: ${"gzip;q=0.1,".repeat(size / 11)}a\r\n`,
  "a name of a host without end": (size) => `GET /api/v1/lanes HTTP/1.1\r\nHost: ${":1".repeat(size / 2)}\r\n`,
  "a type of semicolons": (size) => `POST /k8s-audit HTTP/1.1\r\nContent-Type: ${"a;".repeat(size / 2)}\r\n`,
  "an encoding of commas": (size) => `POST /k8s-audit HTTP/1.1\r\nContent-Encoding: ${"gzip,".repeat(size / 5)}\r\n`,
  "cookies and forwarding": (size) => `GET /api/v1/lanes HTTP/1.1\r\nX-Forwarded-For: ${"1, ".repeat(size / 3)}\r\n`,
};

describe("the work that a request's head makes grows with its length", () => {
  const ports: Readonly<Record<string, (t: TestContext) => Promise<number>>> = {
    "the port of alerts": async (t) => (await startAlerts(t)).port,
    "the port of audit events": (t) => startAudit(t),
    "the operators' API": startOperators,
  };
  for (const [name, open] of Object.entries(ports))
    it(`at ${name}`, async (t) => {
      const port = await open(t);
      for (const [shape, make] of Object.entries(heads))
        await t.test(shape, () => {
          // Several connections: one is over too soon to be measured.
          const send = (head: string) =>
            Promise.all(
              Array.from({ length: 20 }, () =>
                sendRaw(port, `${head}Host: x\r\nConnection: close\r\n\r\n`, "\n".repeat(2)),
              ),
            );
          return staysLinear(send, make, 15_000, () => `GET /ping HTTP/1.1\r\nX-Long: ${"a".repeat(60_000)}\r\n`);
        });
    });
});

describe("the work of a page of metrics grows with the alerts that came, and ends at its bounds", () => {
  it("when every alert has labels of its own", async (t) => {
    const make = (alerts: number) => {
      const metrics = createMetrics({ process: false, now: () => 0 });
      const text = `[${Array.from({ length: alerts }, (_, i) =>
        JSON.stringify({ rule: `${i}"\\\n`.repeat(60), priority: "Warning", time: "2025-01-15T10:20:30Z" }),
      )}]`;
      for (const alert of decodeAlerts(text, { ...settings, outputfieldformat: "" }).alerts) metrics.event(alert);
      return metrics;
    };
    await t.test("within", () => staysLinear((metrics) => metrics.expose(), make, 2500));
    await t.test("beyond", async () => {
      const [at, beyond] = await Promise.all([make(12_000).expose(), make(24_000).expose()]);
      assert.ok(beyond.length < at.length + 1000);
    });
  });
});

/** Every operator that a field takes, with operands that nearly fit. */
const conditionsOf = ({ name, type, list, arg }: Pick<Field<never>, "name" | "type" | "list" | "arg">): string[] => {
  const argument =
    arg === undefined || (!arg.required && arg.kind !== "index") ? "" : arg.kind === "index" ? "[0]" : "[a]";
  const field = `${name}${argument}`;
  if (list) return [`${field} intersects (zz, yy)`, `${field} in (zz, yy)`];
  if (type === "bool") return [`${field} = true and not ${field} exists`];
  if (type !== "string") return [`${field} > 1 and ${field} < 0`];
  return [
    `${field} contains aaaab or ${field} icontains AAAAB or ${field} startswith zz or ${field} endswith ab`,
    `${field} glob "*a*a*a*b" or ${field} iglob "*A?A*B"`,
    `${field} regex "(a|aa)*b" or ${field} regex "(.*a){20}"`,
    `${field} pmatch (/a/a/*, /b*/c) or ${field} in (zz, yy) or ${field} intersects (zz)`,
  ];
};

describe("the work of the rules grows with the event", () => {
  const conditions = fieldsOfKinds(kindsOf(sources)).flatMap(conditionsOf);
  const text = conditions
    .map((condition, i) =>
      rule(`r${i}`, condition, { output: i % 7 === 0 ? "%ka.req.pod.containers.image %jevt.obj" : "o" }),
    )
    .join("");
  const { at, remove } = folderOf({ "all.yaml": text });
  after(remove);
  const pack = new URL("../../rules/k8s_audit_rules.yaml", import.meta.url).pathname;
  for (const [name, file] of Object.entries({ "the pack": pack, "every field with every operator": at("all.yaml") }))
    it(`of ${name}`, async (t) => {
      const { config } = loadConfig({
        env: {},
        overrides: [`rules_files=${file}`, "rule_matching=all"],
        outputs,
        sources,
      });
      const log = pino({ level: "silent" });
      const metrics = createMetrics({ process: false, now: () => 0 });
      const rules = openRules(config, { log, metrics, counts: countIn(metrics), settings });
      assert.ok(rules);
      t.after(() => rules.close());
      const judge = (event: string) => rules.stage.run({ id: "c", at: 0 }, [{ source: "k8s_audit", text: event }]);
      for (const [shape, make] of Object.entries(growingEvents()))
        await t.test(shape, () => staysLinear(judge, make, 24_000));
    });
});

describe("the work of a condition grows with the alert", () => {
  const fields = ["alert.rule", "alert.output", "alert.hostname", "proc.name"].flatMap((name) =>
    conditionsOf({ name, type: "string", list: false }),
  );
  const tests = [...fields, "alert.tags intersects (zz)", "alert.tags in (a, b)"].map((text) => alertTest(text));
  const withText = (text: string) => ({
    rule: text,
    output: text,
    hostname: text,
    output_fields: { "proc.name": text },
  });
  const shapes: Readonly<Record<string, (size: number) => object>> = {
    "one letter": (size) => withText("a".repeat(size)),
    "letters that nearly fit": (size) => withText("aaaac".repeat(size / 5)),
    slashes: (size) => withText("/a".repeat(size / 2)),
    "capital letters": (size) => withText("A".repeat(size)),
    "characters of four bytes": (size) => withText("😀".repeat(size / 2)),
    "many tags": (size) => ({ tags: Array.from({ length: size / 4 }, (_, i) => `t${i}`) }),
  };
  const none = { maxalertbytes: 1e9, maxfields: 1e9, maxfieldname: 1e9, maxname: 1e9, maxtags: 1e9, maxtaglength: 1e9 };
  const open = { ...settings, limits: { ...alertLimits, ...none } };
  for (const [shape, more] of Object.entries(shapes))
    it(shape, async () => {
      const make = (size: number) => {
        const body = { rule: "r", priority: "Warning", time: "2025-01-15T10:20:30Z", ...more(size) };
        return decodeAlerts(JSON.stringify(body), open).alerts[0] ?? assert.fail();
      };
      await staysLinear((alert) => tests.map((test) => test(alert)), make, 24_000);
    });
});
