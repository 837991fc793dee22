import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import lambda from "../../outputs/aws-lambda.ts";
import sqs from "../../outputs/aws-sqs/index.ts";
import { openHttp } from "../../src/deliver/http.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import type { Alert, Alerts, Output } from "../../src/sdk/output.ts";
import { falcoAlert } from "../support/alerts.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { answers, type RealServer, startServer, without } from "../support/real-server.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";
import { until } from "../support/until.ts";

const keys = { region: "us-east-1", accesskeyid: "AKIAEXAMPLE", secretaccesskey: "s3cret" };
const http = openHttp({ rejectUnauthorized: true });

describe("AWS as moto plays it", { skip: without("moto") }, () => {
  let server: RealServer;
  let url: string;
  let client: SQSClient;
  before(async () => {
    server = await startServer({
      service: "moto",
      args: (port) => ["-H", "127.0.0.1", "-p", String(port)],
      ready: (port) => answers(`http://127.0.0.1:${port}/moto-api/data.json`),
    });
    url = `http://127.0.0.1:${server.port}`;
    client = new SQSClient({
      region: "us-east-1",
      endpoint: url,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  });
  after(async () => {
    await http.close();
    client?.destroy();
    await server?.stop();
  });

  const api = (path: string, body: unknown) =>
    fetch(`${url}/moto-api/${path}`, { method: "POST", body: JSON.stringify(body) }).then((reply) => reply.text());
  const makeQueue = async (name: string, attributes: Record<string, string> = {}) => {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    return QueueUrl ?? "";
  };
  const drain = async (queue: string) => {
    const bodies: string[] = [];
    for (;;) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return bodies;
      bodies.push(...Messages.map(({ Body }) => Body ?? ""));
      await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queue,
          Entries: Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })),
        }),
      );
    }
  };
  const attempt = async (output: Output, config: Readonly<Record<string, unknown>>, alerts: Alerts) => {
    const sender = await openSender(output, configOf(output, { ...keys, ...config }), testHost(http));
    try {
      await sender.send(alerts, AbortSignal.timeout(10_000));
      return undefined;
    } catch (error) {
      assert.ok(error instanceof DeliveryError, String(error));
      return error.fault;
    } finally {
      await sender.close?.();
    }
  };
  const numbered = (count: number, over: Partial<Alert> = {}) =>
    Array.from({ length: count }, (_, n) =>
      sampleAlert({ uuid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`, output: `alert-${n}-`, ...over }),
    ) as unknown as Alerts;

  it("has one message for each alert, alone and in batches", async () => {
    const queue = await makeQueue("plain");
    assert.equal(await attempt(sqs, { url: queue }, [sampleAlert()]), undefined);
    assert.equal(JSON.parse((await drain(queue))[0] ?? "{}").rule, sampleAlert().rule);
    assert.equal(await attempt(sqs, { url: queue }, numbered(10)), undefined);
    assert.equal(new Set(await drain(queue)).size, 10);
  });

  it("has hostile alerts as they are", async () => {
    const queue = await makeQueue("hostile");
    const alerts = [...Object.values(hostileAlerts), sampleAlert({ output: "\ufffe\uffff" })];
    const short = alerts.filter((alert) => JSON.stringify(alert.output).length < 100_000);
    for (const alert of short) assert.equal(await attempt(sqs, { url: queue }, [alert]), undefined);
    assert.equal((await drain(queue)).length, short.length);
  });

  it("has an alert once in a FIFO queue, however often it is sent, and a rule's alerts in order", async () => {
    const queue = await makeQueue("ordered.fifo", { FifoQueue: "true" });
    for (let i = 0; i < 2; i++) assert.equal(await attempt(sqs, { url: queue }, numbered(10)), undefined);
    const outputs = (await drain(queue)).map((body) => JSON.parse(body).output as string);
    assert.deepEqual(
      outputs,
      numbered(10).map(({ output }) => output),
    );
  });

  it("refuses a message that is too long, which then is a dead letter", async () => {
    const queue = await makeQueue("short");
    const fault = await attempt(sqs, { url: queue }, numbered(1, { output: "x".repeat(1_100_000) }));
    assert.deepEqual([fault?.reason, fault?.retryable], ["too_large", false]);
  });

  it("says when there is no such queue", async () => {
    const fault = await attempt(sqs, { url: `${url}/123456789012/absent` }, [sampleAlert()]);
    assert.equal(fault?.reason, "not_found");
  });

  it("runs the function, waiting for it or not", async () => {
    await api("config", { lambda: { use_docker: false } });
    const signed = (service: string) => ({
      authorization: `AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    });
    const trust = { Version: "2012-10-17", Statement: [] };
    const role = new URLSearchParams({
      Action: "CreateRole",
      Version: "2010-05-08",
      RoleName: "run",
      AssumeRolePolicyDocument: JSON.stringify(trust),
    });
    await fetch(url, { method: "POST", headers: signed("iam"), body: role });
    const made = await fetch(`${url}/2015-03-31/functions`, {
      method: "POST",
      headers: signed("lambda"),
      body: JSON.stringify({
        FunctionName: "falco",
        Runtime: "nodejs20.x",
        Handler: "index.handler",
        Role: "arn:aws:iam::123456789012:role/run",
        Code: { ZipFile: emptyZip },
      }),
    });
    assert.equal(made.status, 201, await made.text());
    for (const invocationtype of ["RequestResponse", "Event"])
      assert.equal(
        await attempt(lambda, { endpoint: url, functionname: "falco", invocationtype }, [sampleAlert()]),
        undefined,
      );
  });

  it("is found by AWS_ENDPOINT_URL, and gives a role by keys, by profile and by web identity", async () => {
    const { dir, remove } = scratch();
    writeFileSync(join(dir, "token"), "a.web.identity");
    writeFileSync(
      join(dir, "credentials"),
      "[falco]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s3cret\n",
    );
    const role = "arn:aws:iam::123456789012:role/hub";
    const chains: Readonly<Record<string, { yaml?: string; env: Record<string, string>; key: RegExp }>> = {
      keys: { yaml: "  accesskeyid: AKIAYAML\n  secretaccesskey: s3cret\n", env: {}, key: /Credential=AKIAYAML\// },
      role: {
        yaml: `  accesskeyid: AKIAYAML\n  secretaccesskey: s3cret\n  rolearn: ${role}\n  externalid: ext\n`,
        env: {},
        key: /Credential=ASIA/,
      },
      environment: {
        env: { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "s3cret" },
        key: /Credential=AKIAENV\//,
      },
      profile: {
        env: { AWS_PROFILE: "falco", AWS_SHARED_CREDENTIALS_FILE: join(dir, "credentials") },
        key: /Credential=AKIAPROFILE\//,
      },
      "web identity": {
        env: { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, "token") },
        key: /Credential=ASIA/,
      },
    };
    try {
      for (const [name, { yaml = "", env, key }] of Object.entries(chains)) {
        const queue = await makeQueue(`hub-${name.replace(" ", "-")}`);
        const atAmazon = queue.replace(url, "https://sqs.us-east-1.amazonaws.com");
        const { hub, data } = { hub: `aws:\n${yaml}  sqs:\n    url: ${atAmazon}\n`, data: scratch() };
        await api("recorder/reset-recording", {});
        await api("recorder/start-recording", {});
        const running = await startHub({
          datadir: data.dir,
          config: hub,
          env: { AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: url, AWS_EC2_METADATA_DISABLED: "true", ...env },
        });
        try {
          assert.deepEqual((await postAll(running.url, 25, falcoAlert)).statuses, { 200: 25 });
          const bodies = new Set<string>();
          await until(`all come with ${name}`, async () => {
            for (const body of await drain(queue)) bodies.add(body);
            return bodies.size === 25;
          });
        } finally {
          await running.stop();
          data.remove();
        }
        assert.doesNotMatch(running.output(), /s3cret|check at start failed/);
        await api("recorder/stop-recording", {});
        const recorded = readable(await (await fetch(`${url}/moto-api/recorder/download-recording`)).text());
        const sent = recorded.filter((line) => line.includes("SendMessage"));
        assert.ok(sent.length > 0);
        for (const line of sent) assert.match(line, key, name);
        if (name === "role") assert.ok(recorded.some((line) => /AssumeRole/.test(line) && /ExternalId/.test(line)));
        assert.ok(recorded.some((line) => /GetCallerIdentity/.test(line)));
      }
    } finally {
      remove();
    }
  });
});

/** An archive without entries. */
const emptyZip = Buffer.concat([Buffer.from("PK\u0005\u0006"), Buffer.alloc(18)]).toString("base64");

/** The recorder's lines, with bodies decoded. */
const readable = (text: string): readonly string[] =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const { body, body_encoded } = JSON.parse(line) as { body?: string; body_encoded?: boolean };
      return body_encoded ? `${line} ${Buffer.from(body ?? "", "base64")}` : line;
    });
