import assert from "node:assert/strict";
import { test } from "node:test";
import request from "supertest";
import type { Caller } from "../../../src/http/auth.ts";
import { request as raw, start } from "./support.ts";

const tokens = { auth: { token: "canary-main", tokens: { falco: "canary-falco", empty: "" } } };

test("with a token configured a POST needs it, and the refusal is JSON that quotes nothing", async (t) => {
  const { url, taken, sample } = await start(t, tokens);
  for (const header of [
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic canary-main",
    "canary-main",
    "Bearer canary-main x",
  ]) {
    const reply = await request(url).post("/").set("Authorization", header).send("{}").expect(401);
    assert.equal(reply.headers["www-authenticate"], 'Bearer realm="eyrie"');
    assert.deepEqual(reply.body, { error: "a valid bearer token is required" });
  }
  await request(url).post("/test").expect(401);
  assert.equal(taken.length, 0);
  assert.equal(await sample('eyrie_intake_rejected_total{source="requests",reason="unauthorized"}'), 8);
  await request(url).post("/").set("Authorization", "bearer canary-main").send("{}").expect(200);
  await request(url).post("/test").set("Authorization", "Bearer canary-main").expect(200);
  assert.equal(taken.length, 2);
});

test("the intake hears which sender's token was shown", async (t) => {
  const senders: Caller[] = [];
  const take = async (_text: string, sender: Caller) => {
    senders.push(sender);
    return { accepted: 1, rejected: [] };
  };
  const { url } = await start(t, tokens, { take });
  await request(url).post("/").set("Authorization", "Bearer canary-falco").send("{}").expect(200);
  await request(url).post("/").set("Authorization", "Bearer canary-main").send("{}").expect(200);
  assert.deepEqual(senders, [{ token: "falco" }, {}]);
});

test("an empty token is no token: nobody gets in by showing nothing", async (t) => {
  const { url } = await start(t, { auth: { token: "", tokens: { a: "canary-a", b: "" } } });
  await request(url).post("/").send("{}").expect(401);
  await request(url).post("/").set("Authorization", "Bearer ").send("{}").expect(401);
});

test("health, ping and metrics stay open, wrong methods are told as ever", async (t) => {
  const { url } = await start(t, tokens);
  for (const path of ["/ping", "/healthz", "/readyz", "/metrics"]) await request(url).get(path).expect(200);
  await request(url).get("/").expect(400, "Please send with post http method\n");
});

test("a page of another site cannot set off the test alert", async (t) => {
  const { url, taken } = await start(t);
  await request(url).post("/test").set("Origin", "https://evil.example").expect(403);
  await request(url).post("/test").set("Sec-Fetch-Site", "cross-site").expect(403);
  assert.equal(taken.length, 0);
  await request(url).post("/test").set("Origin", url).set("Sec-Fetch-Site", "same-origin").expect(200);
});

test("an unauthorised body is not read", async (t) => {
  const { port } = await start(t, tokens);
  const reply = await raw(
    port,
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
  );
  assert.equal(reply.continued, false);
  assert.equal(reply.status, 401);
});
