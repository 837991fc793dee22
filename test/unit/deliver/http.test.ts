import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { ProxyEnv } from "../../../src/config/proxy.ts";
import { openHttp } from "../../../src/deliver/http.ts";
import { DeliveryError, type DeliveryFault } from "../../../src/sdk/errors.ts";
import type { HttpReply, HttpRequest } from "../../../src/sdk/http.ts";
import type { TlsMaterial } from "../../../src/sdk/output.ts";
import { makeAuthority } from "../../fakes/certificates.ts";
import { openHttpProxy } from "../../fakes/http-proxy.ts";
import { type HttpSink, openHttpSink, type SinkOptions } from "../../fakes/http-sink.ts";

const open: { close(): Promise<void> }[] = [];
after(() => Promise.all(open.map((one) => one.close())));
const kept = <T extends { close(): Promise<void> }>(one: T): T => {
  open.push(one);
  return one;
};

const plain: TlsMaterial = { rejectUnauthorized: true };
const newSink = async (options?: SinkOptions): Promise<HttpSink> => kept(await openHttpSink(options));
const newHttp = (tls: TlsMaterial = plain, proxy: ProxyEnv = {}, connections = 4) =>
  kept(openHttp(tls, proxy, { connections }));
const never = new AbortController().signal;

/** The fault of a call that must fail; the canaries in the address must not show. */
const faultOf = async (call: Promise<HttpReply>): Promise<DeliveryFault & { message: string }> => {
  const error = await call.then(
    (reply) => assert.fail(`answered ${reply.status}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DeliveryError, String(error));
  assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error.fault)}`, /127\.0\.0\.1|canary/);
  return { ...error.fault, message: error.message };
};
const post = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({ url, body: "{}", ...more });

describe("HTTP of a destination", () => {
  test("sends method, path, query, headers and body as they are, over one kept connection", async () => {
    const sink = await newSink();
    const http = newHttp(plain, {}, 1);
    for (let i = 0; i < 5; i += 1) {
      const headers = { "Content-Type": "text/x", "X-Own": "a" };
      const reply = await http(post(`${sink.url}/a/b?c=d`, { method: "PUT", headers, body: "ä" }), never);
      assert.deepEqual([reply.status, reply.body], [200, "ok"]);
    }
    const [first] = sink.requests;
    assert.equal(sink.sockets(), 1);
    assert.deepEqual([first?.method, first?.url, first?.body], ["PUT", "/a/b?c=d", "ä"]);
    assert.equal(first?.headers["x-own"], "a");
    assert.equal(first?.headers["content-type"], "text/x");
    assert.equal(first?.headers["content-length"], "2");
  });

  test("never opens more sockets than it may", async () => {
    const sink = await newSink();
    sink.always({ delayMs: 20 });
    const http = newHttp(plain, {}, 3);
    await Promise.all(Array.from({ length: 12 }, () => http(post(sink.url), never)));
    assert.equal(sink.mostInFlight(), 3);
    assert.equal(sink.count(), 12);
  });

  test("credentials in the address become a header and leave the request line", async () => {
    const sink = await newSink();
    await newHttp()(post(sink.url.replace("//", "//us%40er:canary@")), never);
    assert.equal(sink.requests[0]?.headers.authorization, `Basic ${btoa("us@er:canary")}`);
    assert.equal(sink.requests[0]?.url, "/");
  });

  for (const [name, keep, expected] of [
    ["64 KiB", undefined, 65_536],
    ["what the request needs", 200_000, 200_000],
  ] as const)
    test(`keeps ${name} of an answer, and reads no more of it`, async () => {
      const sink = await newSink();
      sink.next({ body: "x".repeat(64 * 1024 * 1024) });
      const http = newHttp(plain, {}, 1);
      assert.equal((await http(post(sink.url, keep === undefined ? {} : { keep }), never)).body.length, expected);
      assert.ok(sink.written() < 16 * 1024 * 1024, `${sink.written()} bytes left the server`);
      assert.equal((await http(post(sink.url), never)).body, "ok");
    });

  test("takes the status of an answer without end for what it says", async () => {
    const sink = await newSink();
    sink.next({ fault: "endless" }, { fault: "endless", status: 400 });
    const http = newHttp(plain, {}, 1);
    assert.equal((await http(post(sink.url), never)).status, 200);
    assert.equal((await faultOf(http(post(sink.url), never))).reason, "client_error");
  });

  test("a redirect is not followed and is permanent", async () => {
    const [sink, other] = [await newSink(), await newSink()];
    for (const status of [301, 302, 303, 307, 308]) {
      sink.next({ status, headers: { Location: `${other.url}/canary` } });
      const fault = await faultOf(newHttp()(post(sink.url), never));
      assert.deepEqual([fault.reason, fault.retryable, fault.message], ["redirect", false, `HTTP ${status}`]);
    }
    assert.equal(other.count(), 0);
  });

  test("Retry-After comes with the failure of a status that is worth repeating, and only there", async () => {
    const sink = await newSink();
    const http = newHttp();
    sink.next({ status: 429, retryAfter: 7 }, { status: 400, retryAfter: 7 }, { status: 500 });
    assert.equal((await faultOf(http(post(sink.url), never))).retryAfterMs, 7000);
    assert.equal((await faultOf(http(post(sink.url), never))).retryAfterMs, undefined);
    assert.equal((await faultOf(http(post(sink.url), never))).retryAfterMs, undefined);
  });
});

describe("HTTP when the destination misbehaves", () => {
  for (const [fault, reason] of [
    ["reset", "network"],
    ["reset-in-body", "network"],
    ["close", "network"],
    ["garbage", "bad_reply"],
  ] as const)
    test(`${fault} is retryable: ${reason}`, async () => {
      const sink = await newSink();
      sink.always({ fault, body: "canary" });
      const found = await faultOf(newHttp()(post(`${sink.url}/canary`), never));
      assert.deepEqual([found.reason, found.retryable], [reason, true]);
    });

  for (const fault of ["hang", "drip"] as const)
    test(`${fault} ends with the caller's signal and the socket goes with it`, async () => {
      const sink = await newSink();
      sink.next({ fault });
      const http = newHttp();
      const stop = new AbortController();
      const call = faultOf(http(post(sink.url), stop.signal));
      await sink.received(1);
      stop.abort(new DeliveryError("too late", { reason: "timeout", retryable: true }));
      assert.equal((await call).reason, "timeout");
      assert.equal((await http(post(sink.url), never)).status, 200);
    });

  test("a signal ends a call that still waits for a connection", async () => {
    const sink = await newSink();
    sink.next({ fault: "hang" });
    const http = newHttp(plain, {}, 1);
    const [first, second] = [new AbortController(), new AbortController()];
    const hanging = faultOf(http(post(sink.url), first.signal));
    const queued = faultOf(http(post(sink.url), second.signal));
    await sink.received(1);
    second.abort();
    assert.equal((await queued).reason, "timeout");
    first.abort();
    await hanging;
    assert.equal(sink.count(), 1);
  });

  test("a refused connection is a network failure", async () => {
    const sink = await openHttpSink();
    await sink.close();
    assert.equal((await faultOf(newHttp()(post(sink.url), never))).message, "connection failed (ECONNREFUSED)");
  });

  test("an address that is none and a header with a line break are permanent, and quoted nowhere", async () => {
    const sink = await newSink();
    for (const url of ["canary", "ftp://canary/", "http://", ""]) {
      const fault = await faultOf(newHttp()(post(url), never));
      assert.deepEqual([fault.reason, fault.retryable], ["config", false]);
    }
    const fault = await faultOf(newHttp()(post(sink.url, { headers: { "X-A": "canary\r\nX-B: c" } }), never));
    assert.deepEqual([fault.reason, fault.retryable], ["invalid", false]);
    assert.equal(sink.count(), 0);
  });
});

describe("HTTP over TLS", () => {
  const authority = makeAuthority();
  const stranger = makeAuthority();
  const own = authority.server();

  test("an unknown issuer is refused, retryable, as a TLS failure", async () => {
    const sink = await newSink({ tls: own });
    const fault = await faultOf(newHttp()(post(sink.url), never));
    assert.deepEqual([fault.reason, fault.retryable], ["tls", true]);
    assert.equal(sink.count(), 0);
  });

  test("a private CA is trusted", async () => {
    const sink = await newSink({ tls: own });
    const http = newHttp({ ca: authority.ca, rejectUnauthorized: true });
    assert.equal((await http(post(sink.url), never)).status, 200);
  });

  test("a private CA does not excuse a wrong name", async () => {
    const sink = await newSink({ tls: authority.server("DNS:elsewhere.test") });
    const http = newHttp({ ca: authority.ca, rejectUnauthorized: true });
    assert.equal((await faultOf(http(post(sink.url), never))).reason, "tls");
  });

  test("checkcert false accepts any certificate", async () => {
    const sink = await newSink({ tls: own });
    assert.equal((await newHttp({ rejectUnauthorized: false })(post(sink.url), never)).status, 200);
  });

  test("a client certificate is shown where it is demanded, and needed", async () => {
    const sink = await newSink({ tls: { ...own, clientCa: authority.ca } });
    const trust = { ca: authority.ca, rejectUnauthorized: true };
    await newHttp({ ...trust, ...authority.client("eyrie") })(post(sink.url), never);
    assert.equal(sink.requests[0]?.client, "eyrie");
    for (const tls of [trust, { ...trust, ...stranger.client("eyrie") }]) {
      const fault = await faultOf(newHttp(tls)(post(sink.url), never));
      assert.ok(["tls", "network"].includes(fault.reason) && fault.retryable, fault.message);
    }
    assert.equal(sink.count(), 1);
  });

  test("a certificate that cannot be read fails the attempt, not the process, and is not quoted", async () => {
    const fault = await faultOf(
      newHttp({ cert: "canary", key: "canary", rejectUnauthorized: true })(post("https://sink.test"), never),
    );
    assert.deepEqual([fault.reason, fault.retryable], ["tls", true]);
  });
});

describe("HTTP through a proxy", () => {
  test("plain HTTP goes in absolute form, HTTPS in a tunnel, both with the proxy's credentials", async () => {
    const authority = makeAuthority();
    const plainSink = await newSink();
    const tlsSink = await newSink({ tls: authority.server("DNS:sink.test") });
    const forHttp = kept(await openHttpProxy(plainSink.port, "user:canary"));
    const forHttps = kept(await openHttpProxy(tlsSink.port, "user:canary"));
    const env = {
      http: forHttp.url.replace("//", "//user:canary@"),
      https: forHttps.url.replace("//", "//user:canary@"),
    };
    const http = newHttp({ ca: authority.ca, rejectUnauthorized: true }, env);
    for (let i = 0; i < 2; i += 1) {
      assert.equal((await http(post("http://sink.test/a?b=c"), never)).status, 200);
      assert.equal((await http(post("https://sink.test/a"), never)).status, 200);
    }
    assert.deepEqual(forHttp.asked, ["POST http://sink.test/a?b=c", "POST http://sink.test/a?b=c"]);
    assert.deepEqual(forHttps.asked, ["CONNECT sink.test:443"]);
    assert.equal(plainSink.requests[0]?.headers.host, "sink.test");
    assert.equal(tlsSink.requests[0]?.headers["proxy-authorization"], undefined);
  });

  test("a proxy that refuses (407) is worth repeating, for it says nothing about the alert", async () => {
    const sink = await newSink();
    const proxy = kept(await openHttpProxy(sink.port, "user:right"));
    const http = newHttp(plain, { http: proxy.url, https: proxy.url });
    assert.equal((await faultOf(http(post("http://sink.test/canary"), never))).retryable, true);
    assert.equal((await faultOf(http(post("https://sink.test/canary"), never))).retryable, true);
    assert.equal(sink.count(), 0);
  });

  test("loopback never goes through a proxy", async () => {
    const sink = await newSink();
    const proxy = kept(await openHttpProxy(sink.port));
    const http = newHttp(plain, { http: proxy.url });
    await http(post(sink.url), never);
    await http(post(sink.url.replace("127.0.0.1", "localhost")), never);
    assert.deepEqual(proxy.asked, []);
    assert.equal(sink.count(), 2);
  });
});
