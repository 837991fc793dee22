import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import lambda from "../../outputs/aws-lambda.ts";
import sqs from "../../outputs/aws-sqs/index.ts";
import { outputs } from "../../outputs/index.ts";
import slack from "../../outputs/slack.ts";
import smtp from "../../outputs/smtp/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openHttp } from "../../src/deliver/http.ts";
import type { Output } from "../../src/sdk/output.ts";
import { awsAnswer } from "../fakes/answers.ts";
import { openHttpProxy } from "../fakes/http-proxy.ts";
import { openHttpSink, openSink } from "../fakes/http-sink.ts";
import { openSmtp } from "../fakes/smtp.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const open: { close(): Promise<unknown> }[] = [];
after(() => Promise.all(open.map((one) => one.close())));
const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one);
  return one;
};
const keys = { region: "us-east-1", accesskeyid: "AKIAEXAMPLE", secretaccesskey: "s3cret" };

describe("a proxy of the environment", () => {
  for (const [output, settings, asked] of [
    [sqs, { url: "http://sqs.example.test/000000000000/falco" }, "POST http://sqs.example.test/"],
    [
      lambda,
      { endpoint: "http://lambda.example.test", functionname: "falco" },
      "POST http://lambda.example.test/2015-03-31/functions/falco/invocations",
    ],
  ] as const)
    it(`holds for ${output.name}`, async () => {
      const sink = kept(await openSink((request) => awsAnswer(request)));
      const proxy = kept(await openHttpProxy(sink.port, "user:pass"));
      const http = kept(openHttp({ rejectUnauthorized: true }, { http: proxy.url.replace("//", "//user:pass@") }));
      const sender = await openSender(
        output as Output,
        configOf(output as Output, { ...keys, ...settings }),
        testHost(http),
      );
      await sender.send([sampleAlert()], AbortSignal.timeout(5000));
      await sender.close?.();
      assert.deepEqual(proxy.asked, [asked]);
      assert.match(String(sink.requests[0]?.headers.authorization), /^AWS4-HMAC-SHA256 /);
    });

  it("is asked of mail by name", async () => {
    const server = kept(await openSmtp());
    const proxy = kept(await openHttpProxy(server.port));
    const config = configOf(smtp, {
      hostport: "mail.example.test:587",
      tls: false,
      authmechanism: "none",
      from: "f@example.com",
      to: "t@example.com",
      proxy: proxy.url,
    });
    const sender = await openSender(
      smtp,
      config,
      testHost(() => Promise.reject(new Error("not over HTTP"))),
    );
    await sender.send([sampleAlert()], AbortSignal.timeout(5000));
    await sender.close?.();
    assert.deepEqual(proxy.asked, ["CONNECT mail.example.test:587"]);
    assert.equal(server.mails.length, 1);
  });

  const warned = (settings: object, env: Readonly<Record<string, string>>) =>
    loadConfig({
      file: "eyrie.yaml",
      read: () => JSON.stringify(settings),
      env,
      outputs,
      sources: [],
    }).problems.flatMap(({ severity, key, message }) =>
      message.includes("connects straight") ? [`${severity} ${key}: ${message}`] : [],
    );
  const mail = { smtp: { hostport: "mail.example.test:587", from: "f@example.com", to: "t@example.com" } };
  const direct = {
    ...mail,
    nats: { hostport: "nats://nats.example.test:4222" },
    syslog: { host: "log.example.test", port: "514" },
  };

  it("that does not hold is warned of, with a way out where there is one", () => {
    assert.deepEqual(warned(direct, { HTTPS_PROXY: "http://proxy.example.test:3128" }), [
      "warning nats: connects straight to nats.example.test:4222: the proxy of the environment is for HTTP alone",
      "warning smtp: connects straight to mail.example.test:587: the proxy of the environment is for HTTP alone; set smtp.proxy to reach it through one",
      "warning syslog: connects straight to log.example.test:514: the proxy of the environment is for HTTP alone",
    ]);
  });

  it("is not warned of where there is none, where the host is spared, or where mail has its own", () => {
    assert.deepEqual(warned(direct, {}), []);
    assert.deepEqual(warned(direct, { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: "example.test" }), []);
    assert.deepEqual(warned({ nats: { hostport: "nats://127.0.0.1:4222" } }, { HTTP_PROXY: "http://proxy:3128" }), []);
    assert.deepEqual(
      warned({ smtp: { ...mail.smtp, proxy: "http://proxy:3128" } }, { HTTP_PROXY: "http://proxy:3128" }),
      [],
    );
  });
});

describe("an answer without end", () => {
  for (const [output, settings] of [
    [slack, (webhookurl: string) => ({ webhookurl })],
    [sqs, (url: string) => ({ ...keys, url: `${url}/000000000000/falco` })],
    [lambda, (endpoint: string) => ({ ...keys, endpoint, functionname: "falco" })],
  ] as const)
    it(`costs ${output.name} no more than its beginning`, async () => {
      const sink = kept(await openHttpSink());
      sink.always({ fault: "endless" });
      const http = kept(openHttp({ rejectUnauthorized: true }));
      const of = output as Output;
      const sender = await openSender(of, configOf(of, settings(sink.url)), testHost(http));
      const told = await sender.send([sampleAlert()], AbortSignal.timeout(20_000)).catch((error: Error) => error.name);
      await sender.close?.();
      // What is no answer of SQS proves nothing; the others were told 200.
      assert.equal(told, output === sqs ? "DeliveryError" : undefined);
      assert.ok(sink.written() < 16 * 1024 * 1024, `${sink.written()} bytes`);
    });
});
