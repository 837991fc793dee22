import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly chunked?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request to a port of the loopback. */
export const request = (port: number, sent: Sent): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { method = "POST", path = "/k8s-audit", headers = { "content-type": "application/json" }, body } = sent;
    const length = body.length > 0 && !sent.chunked ? { "content-length": String(body.length) } : {};
    const req = httpRequest({
      port,
      host: "127.0.0.1",
      method,
      path,
      headers: { ...headers, ...length },
      agent: false,
    });
    req.on("error", reject);
    req.on("response", (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    req.end(body);
  });
