import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { outputs } from "../../outputs/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { redact } from "../../src/config/redact.ts";
import { openHttp } from "../../src/deliver/http.ts";
import { rawEvent } from "../../src/sdk/alert.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { fieldMeta } from "../../src/sdk/fields.ts";
import type { HttpCall, HttpRequest } from "../../src/sdk/http.ts";
import type { Alerts, Output } from "../../src/sdk/output.ts";
import { bulkAnswer } from "../fakes/answers.ts";
import { type Answer, openSink, type Received } from "../fakes/http-sink.ts";
import { clientServers } from "../support/client-server.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { loaded, nested, sampleFor } from "../support/output-values.ts";
import { readableBody } from "../support/readable-body.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const canary = "canary-7f3a9c";
const noon = Date.parse("2025-01-15T12:00:00Z");
/** What an output sends for `alerts`, without a network. */
const requestsOf = async (output: Output, alerts: Alerts): Promise<readonly HttpRequest[]> => {
  const sent: HttpRequest[] = [];
  const http: HttpCall = async (request) => {
    sent.push(request);
    const body = String(request.body);
    const answer = request.url.endsWith("/_bulk") ? bulkAnswer(body) : { status: 200, body: "ok" };
    return { status: answer.status, headers: answer.headers ?? {}, body: answer.body ?? "" };
  };
  const sender = await openSender(
    output,
    configOf(output, output.example),
    testHost(http, () => noon),
  );
  await sender.send(alerts, AbortSignal.timeout(5000));
  await sender.close?.();
  return sent;
};

const statuses: readonly [status: number, retryable: boolean | undefined, reason: string | undefined][] = [
  [200, undefined, undefined],
  [202, undefined, undefined],
  [204, undefined, undefined],
  [301, false, "redirect"],
  [400, false, "client_error"],
  [401, false, "auth_error"],
  [403, false, "auth_error"],
  [404, false, "not_found"],
  [408, true, "timeout"],
  [413, false, "too_large"],
  [429, true, "rate_limited"],
  [500, true, "server_error"],
  [503, true, "server_error"],
];

for (const output of outputs) {
  const fields = Object.entries(output.fields) as [string, Parameters<typeof fieldMeta>[0]][];

  describe(`output ${output.name}`, () => {
    it("names itself and every key in lower case, each with one sentence", () => {
      assert.match(output.name, /^[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*$/);
      assert.match(output.about, /^[A-Z].*\.$/s);
      for (const [key, field] of fields) {
        assert.match(key, /^[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*$/, key);
        assert.match(field.description ?? "", /^\S.*\S\.$/s, `${key} is not documented by a sentence`);
      }
    });

    it("is off by default and on with its example, which names known keys only", () => {
      assert.equal(output.enabled(configOf(output, {})), false);
      assert.equal(output.enabled(configOf(output, output.example)), true);
      for (const key of Object.keys(output.example)) assert.ok(key in output.fields, key);
      const { config, problems } = loaded(output, output.example);
      assert.deepEqual(
        problems.filter((problem) => problem.severity === "error"),
        [],
      );
      assert.deepEqual(
        config.outputs.map((instance) => instance.output.name),
        [output.name],
      );
    });

    it("calls secret what is named like a secret", () => {
      const named = /(key|keyid|token|password|secret|webhookurl|customheaders)$/;
      for (const [key, field] of fields) if (named.test(key)) assert.ok(fieldMeta(field).secret, key);
    });

    it("shows no secret of its configuration", () => {
      const armed = Object.fromEntries(
        fields.map(([key, field]) => {
          const meta = fieldMeta(field);
          if (!meta.secret) return [key, output.example[key]];
          return [
            key,
            meta.pairs
              ? { "X-Key": canary }
              : meta.schemes
                ? `${meta.schemes[0]}://u:${canary}@h/${canary}?k=${canary}`
                : canary,
          ];
        }),
      );
      const { config } = loaded(output, armed);
      assert.match(
        JSON.stringify(config.outputs),
        new RegExp(fields.some(([, f]) => fieldMeta(f).secret) ? canary : ""),
      );
      assert.doesNotMatch(JSON.stringify(redact(config)), new RegExp(canary));
    });

    if ("customheaders" in output.fields)
      it("is off with headers that cannot be sent, at start", () => {
        for (const header of [{ "X-A": "a\r\nX-B: b" }, { "X A": "a" }, { "": "a" }, { "X-A": "\u0000" }]) {
          const { problems } = loaded(output, { ...output.example, customheaders: header });
          assert.equal(
            problems.filter((problem) => problem.off?.output === output.name).length,
            1,
            JSON.stringify(header),
          );
        }
      });

    for (const [key, field] of fields) {
      it(`reads ${key} from its environment variable`, () => {
        const parsed = field.safeParse(undefined);
        const byDefault = parsed.success ? parsed.data : undefined;
        const [written, expected] = sampleFor(field, byDefault, key);
        const name = `${output.name}.${key}`.toUpperCase().replaceAll(".", "_");
        const { config } = loadConfig({
          file: "eyrie.yaml",
          read: () => JSON.stringify(nested(output.name, output.example)),
          env: { [name]: written },
          // Whether the sample is fit for the output is another matter.
          outputs: outputs.map((each) => ({ ...each, check: () => [] })),
          sources: [],
        });
        const found = config.outputs.find((instance) => instance.output.name === output.name);
        assert.ok(found, `${name} turned the output off`);
        assert.deepEqual(JSON.parse(JSON.stringify(found.config[key])), expected);
      });
    }

    const server = clientServers.get(output.name);
    if ("open" in output && !server?.plainHttp) {
      it("brings a server, over which the suite of clients holds what follows", () => assert.ok(server));
      return;
    }

    it("sends the same for the same alert, from a frozen one, by the given clock", async () => {
      const alert = sampleAlert();
      const text = rawEvent(alert);
      const first = await requestsOf(output, [alert]);
      assert.ok(first.length > 0);
      assert.deepEqual(await requestsOf(output, [alert]), first);
      assert.equal(rawEvent(sampleAlert()), text);
    });

    if ("request" in output)
      it("maps without a clock, chance or network of its own", (t) => {
        const forbidden = () => assert.fail("a mapping takes time, randomness and network as arguments");
        t.mock.method(Date, "now", forbidden);
        t.mock.method(Math, "random", forbidden);
        t.mock.method(globalThis, "fetch", forbidden);
        const context = { now: noon, hub: { outputs: [], customfields: {}, templatedfields: {} } };
        const request = output.request([sampleAlert()], configOf(output, output.example), context);
        assert.ok(request.body);
      });

    for (const [name, alert] of Object.entries(hostileAlerts)) {
      it(`survives ${name}`, async () => {
        for (const request of await requestsOf(output, [alert])) {
          assert.doesNotThrow(() => new URL(request.url));
          for (const value of Object.values(request.headers ?? {})) assert.doesNotMatch(value, /[\r\n\0]/);
          if (typeof request.body === "string") assert.ok(request.body.isWellFormed(), "a lone surrogate");
        }
        assert.equal(({} as Record<string, unknown>).polluted, undefined);
      });
    }

    if (output.batch)
      it("puts a full batch into one request that names every alert", async () => {
        const alerts = Array.from({ length: output.batch?.items ?? 0 }, (_, i) =>
          sampleAlert({ uuid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`, output: `alert-${i}-` }),
        );
        const [request, ...more] = await requestsOf(output, alerts as unknown as Alerts);
        assert.equal(more.length, 0);
        const named = new Set(readableBody(request ?? {}).match(/alert-\d+-/g));
        assert.equal(named.size, alerts.length);
      });

    describe("over HTTP", () => {
      let answer: (request: Received) => Answer | undefined;
      let sink: Awaited<ReturnType<typeof openSink>>;
      const http = openHttp({ rejectUnauthorized: true });
      before(async () => {
        sink = await openSink((request) => answer(request));
      });
      after(async () => {
        await http.close();
        await sink.close();
      });

      /** The example with every secret replaced by a canary, its server by `base`. */
      const armed = (base: string) => {
        const example: Record<string, unknown> = { ...output.example };
        for (const [key, field] of fields) {
          if (!fieldMeta(field).secret) continue;
          const given = String(example[key] ?? "");
          example[key] = fieldMeta(field).pairs
            ? { "X-Secret": canary }
            : /^https?:/.test(given)
              ? `${new URL(given).origin}/${canary}`
              : canary;
        }
        const text = JSON.stringify(example).replaceAll(/https?:\/\/127\.0\.0\.1:\d+/g, base);
        return configOf(output, JSON.parse(text) as Record<string, unknown>);
      };
      const attempt = async (base: string, timeoutMs = 5000): Promise<DeliveryError | undefined> => {
        const toSink: HttpCall = (request, signal) => {
          const url = new URL(request.url);
          const local = url.hostname === "127.0.0.1" ? request.url : base + url.pathname + url.search;
          return http({ ...request, url: local }, signal);
        };
        const sender = await openSender(
          output,
          armed(base),
          testHost(toSink, () => noon),
        );
        try {
          await sender.send([sampleAlert()], AbortSignal.timeout(timeoutMs));
          return undefined;
        } catch (error) {
          assert.ok(error instanceof DeliveryError, String(error));
          return error;
        } finally {
          await sender.close?.();
        }
      };
      const bulkAware = (reply: Answer) => (request: Received) =>
        request.path === "/_bulk" && reply.status < 300 ? bulkAnswer(request.body) : reply;

      for (const [status, retryable, reason] of statuses) {
        it(`takes ${status} for ${reason ?? "delivered"}`, async () => {
          answer = bulkAware({
            status,
            headers: { "retry-after": "7", location: "/elsewhere" },
            body: status === 204 ? "" : "x",
          });
          const before = sink.requests.length;
          const error = await attempt(sink.url);
          assert.equal(error?.fault.reason, reason);
          assert.equal(error?.fault.retryable, retryable);
          if (status === 429) assert.equal(error?.fault.retryAfterMs, 7000);
          assert.equal(sink.requests.length, before + 1, "one attempt, whatever the client library thinks");
        });
      }

      it("takes a connection that is cut off for a network fault", async () => {
        answer = () => undefined;
        const error = await attempt(sink.url);
        assert.deepEqual([error?.fault.reason, error?.fault.retryable], ["network", true]);
      });

      it("takes a refused connection for a network fault", async () => {
        const gone = await openSink();
        await gone.close();
        const error = await attempt(gone.url);
        assert.deepEqual([error?.fault.reason, error?.fault.retryable], ["network", true]);
      });

      it("says nothing secret in an error", async () => {
        answer = () => ({ status: 400, body: canary });
        const error = await attempt(sink.url);
        assert.doesNotMatch(`${error?.message} ${error?.stack} ${JSON.stringify(error?.fault)}`, /canary|127\.0\.0\.1/);
      });
    });
  });
}
