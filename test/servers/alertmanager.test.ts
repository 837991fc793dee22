import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import alertmanager from "../../outputs/alertmanager.ts";
import { openHttp } from "../../src/deliver/http.ts";
import type { Alert } from "../../src/sdk/alert.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { answers, type RealServer, startServer, without } from "../support/real-server.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const startAlertmanager = () =>
  startServer({
    service: "alertmanager",
    args: (port, dir) => {
      writeFileSync(join(dir, "am.yml"), "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n");
      return [
        `--config.file=${dir}/am.yml`,
        `--storage.path=${dir}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--cluster.listen-address=",
      ];
    },
    ready: (port) => answers(`http://127.0.0.1:${port}/-/ready`),
  });

interface Shown {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly endsAt: string;
}

describe("a real Alertmanager", { skip: without("alertmanager") }, () => {
  let server: RealServer;
  let url: string;
  const http = openHttp({ rejectUnauthorized: true });
  before(async () => {
    server = await startAlertmanager();
    url = `http://127.0.0.1:${server.port}`;
  });
  after(async () => {
    await http.close();
    await server?.stop();
  });

  const send = async (alert: Alert, config: Readonly<Record<string, unknown>> = {}) => {
    const sender = await openSender(
      alertmanager,
      configOf(alertmanager, { hostport: [url], expiresafter: 900, ...config }),
      testHost(http),
    );
    await sender.send([alert], AbortSignal.timeout(10_000));
    await sender.close?.();
  };
  const shown = async (filter: string): Promise<readonly Shown[]> => {
    const reply = await fetch(`${url}/api/v2/alerts?filter=${encodeURIComponent(filter)}`);
    return (await reply.json()) as readonly Shown[];
  };

  it("shows an alert with its labels until it expires", async () => {
    await send(sampleAlert({ time: new Date().toISOString() }));
    const [alert, ...more] = await shown('rule="Terminal shell in container"');
    assert.equal(more.length, 0);
    assert.equal(alert?.labels.k8s_ns_name, "prod");
    assert.equal(alert?.labels.severity, "warning");
    assert.equal(alert?.annotations.summary, "Terminal shell in container");
    assert.ok(Date.parse(alert?.endsAt ?? "") > Date.now());
  });

  it("shows an alert that comes an hour late", async () => {
    await send(sampleAlert({ rule: "late", time: new Date(Date.now() - 3_600_000).toISOString() }));
    assert.equal((await shown('rule="late"')).length, 1);
  });

  it("takes its own time for the end when none is configured", async () => {
    await send(sampleAlert({ rule: "open end" }), { expiresafter: 0 });
    const [alert] = await shown('rule="open end"');
    assert.ok(Date.parse(alert?.endsAt ?? "") > Date.now());
  });

  for (const [name, alert] of Object.entries(hostileAlerts))
    it(`takes ${name}`, async () => {
      await send(alert);
    });
});
