import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import influxdb from "../../outputs/influxdb.ts";
import { openHttp } from "../../src/deliver/http.ts";
import type { Alert } from "../../src/sdk/alert.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { answers, freePort, type RealServer, startServer, without } from "../support/real-server.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const startInflux = async (auth: boolean) => {
  const rpc = await freePort();
  return startServer({
    service: "influxdb",
    args: (port, dir) => {
      writeFileSync(
        join(dir, "influx.conf"),
        `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
dir = "${dir}/meta"
[data]
dir = "${dir}/data"
wal-dir = "${dir}/wal"
[http]
bind-address = "127.0.0.1:${port}"
auth-enabled = ${auth}
`,
      );
      return ["-config", join(dir, "influx.conf")];
    },
    ready: (port) => answers(`http://127.0.0.1:${port}/ping`),
  });
};

const user = "u=hub&p=s3cret%20%26";

describe("a real InfluxDB", { skip: without("influxdb") }, () => {
  let server: RealServer;
  let url: string;
  const http = openHttp({ rejectUnauthorized: true });
  const ask = async (path: string, q: string) => {
    const reply = await fetch(`${url}${path}`, { method: "POST", body: new URLSearchParams({ q, db: "falco" }) });
    const { results } = (await reply.json()) as {
      results: readonly { series?: readonly { columns: readonly string[]; values: readonly unknown[][] }[] }[];
    };
    return results[0]?.series ?? [];
  };
  const rows = async (rule: string) => {
    const [series] = await ask(`/query?${user}`, `SELECT * FROM events WHERE rule = '${rule}'`);
    return (series?.values ?? []).map((row) =>
      Object.fromEntries(row.map((value, i) => [series?.columns[i] ?? "", value])),
    );
  };
  const send = async (alert: Alert, config: Readonly<Record<string, unknown>> = {}) => {
    const settings = configOf(influxdb, { hostport: url, user: "hub", password: "s3cret &", ...config });
    const sender = await openSender(influxdb, settings, testHost(http));
    await sender.send([alert], AbortSignal.timeout(10_000));
  };
  before(async () => {
    server = await startInflux(true);
    url = `http://127.0.0.1:${server.port}`;
    await ask("/query", "CREATE USER hub WITH PASSWORD 's3cret &' WITH ALL PRIVILEGES");
    await ask(`/query?${user}`, "CREATE DATABASE falco");
  });
  after(async () => {
    await http.close();
    await server?.stop();
  });

  it("stores an alert as a point with its fields for tags", async () => {
    await send(sampleAlert());
    const [point, ...more] = await rows("Terminal_shell_in_container");
    assert.equal(more.length, 0);
    assert.equal(point?.priority, "Warning");
    assert.equal(point?.["k8s.ns.name"], "prod");
    assert.equal(point?.value, sampleAlert().output);
  });

  it("stores what separates tags, quotes and lines as text, not as syntax", async () => {
    const output_fields = { "proc.cmdline": 'sh -c "a=b,c d"\nevents value="injected"', "a=b, c": "back\\" };
    await send(sampleAlert({ rule: "syntax", output: 'say "hi" \\ back\nslash\\', output_fields }));
    const [point, ...more] = await rows("syntax");
    assert.equal(more.length, 0);
    assert.equal(point?.["proc.cmdline"], 'sh_-c_"a=b,c_d"_events_value="injected"');
    assert.equal(point?.value, 'say "hi" \\ back\nslash\\');
    const [injected] = await ask(`/query?${user}`, "SELECT * FROM events WHERE value = 'injected'");
    assert.equal(injected, undefined);
  });

  for (const [name, alert] of Object.entries(hostileAlerts))
    it(`takes ${name}`, async () => {
      await send(alert);
    });

  it("takes fields named like its own", async () => {
    const names = [
      "time",
      "value",
      "rule",
      "tags",
      "hostname",
      "_field",
      "_measurement",
      "events",
      "#x",
      "a\\",
      "\u0000",
    ];
    for (const name of names) await send(sampleAlert({ rule: "own names", output_fields: { [name]: "x" } }));
    assert.equal((await rows("own_names")).length, names.length);
  });

  it("refuses a wrong password and a missing database, and the attempt says which", async () => {
    const fault = async (config: Readonly<Record<string, unknown>>) => {
      try {
        await send(sampleAlert(), config);
        return undefined;
      } catch (error) {
        return error instanceof DeliveryError ? error.fault.reason : error;
      }
    };
    assert.equal(await fault({ password: "wrong" }), "auth_error");
    assert.equal(await fault({ database: "nowhere" }), "not_found");
  });
});
