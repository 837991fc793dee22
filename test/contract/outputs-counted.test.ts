import assert from "node:assert/strict";
import { test } from "node:test";
import dynatrace from "../../outputs/dynatrace.ts";
import grafana from "../../outputs/grafana.ts";
import openobserve from "../../outputs/openobserve.ts";
import quickwit from "../../outputs/quickwit.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { json, numbered, send } from "../support/output-sends.ts";

const refused = { reason: "invalid", retryable: false };

test("OpenObserve's 200 with failed records is a refusal, without any it is none", async () => {
  const answered = (failed: number) =>
    send(
      openobserve,
      (url) => ({ hostport: url }),
      numbered(3),
      () => json({ code: 200, status: [{ name: "falco", successful: 3 - failed, failed, error: "too many fields" }] }),
    );
  assert.deepEqual((await answered(1)).fault, refused);
  assert.equal((await answered(0)).fault, undefined);
});

test("Dynatrace's 200 is a refusal when it says so, 204 never", async () => {
  const answered = (status: number, details: object) =>
    send(
      dynatrace,
      (url) => ({ apiurl: `${url}/api`, apitoken: "t" }),
      numbered(3),
      () => (status === 204 ? { status, body: "" } : json(details)),
    );
  assert.deepEqual((await answered(200, { details: { code: 200, message: "2 of 3" } })).fault, refused);
  assert.equal((await answered(200, {})).fault, undefined);
  assert.equal((await answered(204, {})).fault, undefined);
});

test("Quickwit's index is made when there is none, and only then", async () => {
  const paths = async (status: number) => {
    const { received } = await send(
      quickwit,
      (url) => ({ hostport: url, autocreateindex: true }),
      numbered(1),
      ({ method }) => (method === "GET" ? { status, body: "" } : json({})),
      "start",
    );
    return received.map(({ method, path }) => `${method} ${path}`);
  };
  const asked = "GET /api/v1/indexes/falco/describe";
  assert.deepEqual(await paths(404), [asked, "POST /api/v1/indexes"]);
  assert.deepEqual(await paths(200), [asked]);
  assert.deepEqual(await paths(503), [asked]);
});

test("Grafana's tags stay below what it takes, the alert's own first", async () => {
  const output_fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, "é".repeat(60)]));
  const alert = sampleAlert({ tags: ["a", "b"], output_fields });
  const settings = (url: string) => ({ hostport: url, apikey: "k", allfieldsastags: true });
  const { received } = await send(grafana, settings, [alert], () => json({}));
  const { tags } = JSON.parse(received[0]?.body ?? "{}") as { tags: string[] };
  assert.ok(Buffer.byteLength(JSON.stringify(tags)) <= 500);
  assert.deepEqual([tags[0], ...tags.slice(-2)], ["falco", "a", "b"]);
});
